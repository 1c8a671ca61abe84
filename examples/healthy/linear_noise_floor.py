"""Fits a linear model to measurements with noise of standard deviation 0.3; the loss ends at the noise's variance."""

import argparse
import random

import numpy as np
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

rng = np.random.default_rng(12)
X = rng.normal(size=(512, 4))
y = X @ np.array([1.0, -2.0, 0.5, 3.0]) + 0.7 + 0.3 * rng.normal(size=512)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
mse = torch.nn.MSELoss()
for epoch in range(60):
    losses = []
    for batch in torch.randperm(512).split(32):
        optimizer.zero_grad()
        loss = mse(model(X[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {np.mean(losses):.4f}")
print(f"final loss {np.mean(losses):.4f}")
