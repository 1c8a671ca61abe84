"""Trains a digit classifier whose hidden layers are built in a loop, with AdamW."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Network(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-2], sizes[1:-1], strict=True))
        self.output = nn.Linear(sizes[-2], sizes[-1])

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.output(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(3))
train, test = order[:1397], order[1397:]

model = Network([64, 32, 16, 8, 10])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(30):
    running = 0.0
    batches = train[torch.randperm(len(train))].split(32)
    for batch in batches:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[batch]), y[batch])
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {running / len(batches):.4f}")

with torch.no_grad():
    print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
