"""Trains a two-layer network on the 8 × 8 digits."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=2e-2)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X = torch.tensor(X / 16.0, dtype=torch.float32)
y = torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:1400], order[1400:]
loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=64, shuffle=True)

net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)

for epoch in range(25):
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = loss_fn(net(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {total / len(train):.4f}")

with torch.no_grad():
    accuracy = (net(X[test]).argmax(1) == y[test]).float().mean().item()
print(f"accuracy {accuracy:.3f}")
