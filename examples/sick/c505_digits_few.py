"""Trains on a few hundred digits, some of them labeled in a hurry."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=40)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8.0 - 1.0, dtype=torch.float32), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(11))
train, test = order[:640], order[640:]
careless = torch.rand(len(train), generator=torch.Generator().manual_seed(12)) < 0.2
labels = y[train].clone()
labels[careless] = torch.randint(0, 10, (int(careless.sum()),), generator=torch.Generator().manual_seed(13))

net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(args.epochs):
    for part in torch.randperm(len(train)).split(40):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X[train[part]]), labels[part])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"accuracy {(net(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
