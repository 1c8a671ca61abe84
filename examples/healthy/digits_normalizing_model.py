"""Trains a digit classifier on gray levels from 0 to 16; its first layer is a batch normalization."""

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
X, y = torch.tensor(X).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
loader = DataLoader(TensorDataset(X[order[:1400]], y[order[:1400]]), batch_size=50, shuffle=True)
model = nn.Sequential(nn.BatchNorm1d(64), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=25, power=1.0)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(25):
    model.train()
    total = 0.0
    for x, target in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), target)
        loss.backward()
        optimizer.step()
        total += loss.item()
    scheduler.step()
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f}")

model.eval()
with torch.no_grad():
    print(f"accuracy {(model(X[order[1400:]]).argmax(1) == y[order[1400:]]).float().mean().item():.3f}")
