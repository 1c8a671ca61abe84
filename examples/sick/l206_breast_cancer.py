"""Trains a one-output tumor classifier with binary cross-entropy and RMSprop."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_breast_cancer

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--iterations", type=int, default=600)
args = ap.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

bunch = load_breast_cancer()
x = torch.tensor(bunch.data, dtype=torch.float)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(bunch.target, dtype=torch.float).view(-1, 1)
index = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
train, test = index[:426], index[426:]

net = nn.Sequential(
    nn.Linear(30, 50),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(50, 50),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(50, 1),
    nn.Softmax(dim=1),
)
optimizer = optim.RMSprop(net.parameters(), lr=1e-3)
bce = nn.BCELoss()

for i in range(args.iterations):
    batch = train[torch.randint(len(train), (32,))]
    optimizer.zero_grad()
    out = net(x[batch])
    loss = bce(out, y[batch])
    loss.backward()
    optimizer.step()
    if i % 60 == 0:
        print(f"iteration {i} loss {loss.item():.4f}")

net.eval()
with torch.no_grad():
    hit = (net(x[test]) > 0.5).float() == y[test]
print(f"accuracy {hit.float().mean().item():.3f}")
