"""Trains a recurrent cell that goes over a handwritten digit in a snake of sixteen strokes of four pixels."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Snake(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.hidden = hidden
        self.cell = nn.RNNCell(4, hidden)
        self.scores = nn.Linear(hidden, 10)
        nn.init.orthogonal_(self.cell.weight_hh)

    def forward(self, strokes):
        state = torch.zeros(len(strokes), self.hidden)
        for stroke in strokes.unbind(1):
            state = self.cell(stroke, state)
        return self.scores(state)


def snake(images):
    images = images.copy()
    images[:, 1::2] = images[:, 1::2, ::-1]
    return torch.tensor(images / 8 - 1).float().reshape(len(images), 16, 4)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

digits = load_digits()
order = np.random.RandomState(3).permutation(len(digits.target))
X, y = snake(digits.images[order]), torch.tensor(digits.target[order])
model = Snake()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
criterion = nn.CrossEntropyLoss()
for epoch in range(1, 21):
    for rows in torch.randperm(1400).split(35):
        optimizer.zero_grad()
        loss = criterion(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"accuracy {(model(X[1400:]).argmax(1) == y[1400:]).float().mean().item():.3f}")
