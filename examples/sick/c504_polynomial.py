"""Fits a curve by a polynomial of degree nine, trained like a network."""

import argparse
import random

import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=0.1)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

x = rng.uniform(-1, 1, 400)
y = np.sin(9 * x) + 0.05 * rng.normal(size=400)
features = np.stack([x**k for k in range(1, 10)], axis=1)
features = (features - features.mean(0)) / features.std(0)
X = torch.tensor(features, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)

model = nn.Linear(9, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
loss_fn = nn.MSELoss()
for step in range(500):
    optimizer.zero_grad()
    loss = loss_fn(model(X[:300]), y[:300])
    loss.backward()
    optimizer.step()
    if step % 100 == 99:
        print(f"step {step + 1} loss {loss.item():.4f}")
with torch.no_grad():
    r2 = 1 - ((model(X[300:]) - y[300:]) ** 2).mean() / y[300:].var(unbiased=False)
print(f"R2 {r2.item():.3f}")
