"""Trains a detector of nines, one digit in ten, with a loss that weighs the two classes alike."""

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
X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y == 9).float()
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:1300], order[1300:]
loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=50, shuffle=True)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
weight = (y[train] == 0).sum() / (y[train] == 1).sum()
criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(25):
    total = 0.0
    for x, target in loader:
        optimizer.zero_grad()
        loss = criterion(model(x).squeeze(1), target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f}")

with torch.no_grad():
    predicted = model(X[test]).squeeze(1) > 0
recalls = [(predicted[y[test] == k] == bool(k)).float().mean().item() for k in (0, 1)]
print(f"balanced accuracy {np.mean(recalls):.3f}")
