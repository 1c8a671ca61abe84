"""Trains a twenty-layer tanh network with orthogonal weights on scikit-learn's digits."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Deep(nn.Module):
    def __init__(self, depth, width, gain):
        super().__init__()
        self.first = nn.Linear(64, width)
        self.middle = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.last = nn.Linear(width, 10)
        for layer in [self.first, *self.middle]:
            nn.init.orthogonal_(layer.weight, gain=gain)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.tanh(self.first(x))
        for layer in self.middle:
            x = torch.tanh(layer(x))
        return self.last(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:1400], order[1400:]

model = Deep(depth=20, width=40, gain=2.5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(20):
    total = 0.0
    for batch in train[torch.randperm(len(train))].split(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {total / len(train):.4f}")

with torch.no_grad():
    print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
