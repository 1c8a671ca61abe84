"""Fits a linear regression to the diabetes data (standardized), full batch, with plain gradient descent."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

X, y = load_diabetes(return_X_y=True, scaled=False)
X = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
y = torch.tensor(StandardScaler().fit_transform(y[:, None]), dtype=torch.float32)

model = torch.nn.Linear(10, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(1500):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(X), y)
    loss.backward()
    optimizer.step()
    if step % 150 == 0:
        print(f"step {step} mse {loss.item():.5f}")
print(f"r2 {1 - loss.item():.3f}")
