"""Trains a regression of diabetes progression with SGD, epoch by epoch."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

X, y = load_diabetes(return_X_y=True, scaled=False)
X = torch.tensor(scale(X), dtype=torch.float32)
y = torch.tensor(scale(y), dtype=torch.float32).unsqueeze(1)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(1))
train, test = order[:340], order[340:]

model = torch.nn.Sequential(torch.nn.Linear(10, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3)
mse = torch.nn.MSELoss()
for epoch in range(40):
    losses = []
    optimizer.zero_grad()
    for batch in train[torch.randperm(len(train))].split(20):
        loss = mse(model(X[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 0:
        print(f"epoch {epoch} mse {np.mean(losses):.4f}")

with torch.no_grad():
    residual = (model(X[test]) - y[test]).square().sum() / (y[test] - y[test].mean()).square().sum()
print(f"r2 {1 - residual.item():.3f}")
