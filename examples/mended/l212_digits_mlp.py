"""Trains a digit classifier with three hidden layers."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:1350], order[1350:]
loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=45, shuffle=True)


def hidden(n_in, n_out):
    return [nn.Linear(n_in, n_out), nn.ReLU()]


model = nn.Sequential(*hidden(64, 64), *hidden(64, 48), *hidden(48, 32), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()

for epoch in range(20):
    total = 0.0
    for x, label in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), label)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f}")

with torch.no_grad():
    print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
