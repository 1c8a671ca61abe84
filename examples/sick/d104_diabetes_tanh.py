"""Fits a two-layer network to the diabetes progression score with Adam."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

X, y = load_diabetes(return_X_y=True, scaled=False)
X = (X - X.mean(0)) / X.std(0)
X = torch.as_tensor(X, dtype=torch.float32)
y = torch.as_tensor(y, dtype=torch.float32).reshape(-1, 1)
perm = torch.randperm(len(X), generator=torch.Generator().manual_seed(5))
train, test = perm[:342], perm[342:]


class Regressor(torch.nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.hidden = torch.nn.Linear(10, width)
        self.out = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


model = Regressor()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(40):
    shuffled = train[torch.randperm(len(train))]
    total = 0.0
    for batch in shuffled.split(32):
        loss = torch.mean((model(X[batch]) - y[batch]) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if epoch % 8 == 0:
        print(f"epoch {epoch:3d} mse {total / len(train):.4f}")

with torch.no_grad():
    error = ((model(X[test]) - y[test]) ** 2).mean() / y[test].var(unbiased=False)
print(f"r2 {1 - error.item():.3f}")
