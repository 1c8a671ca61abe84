"""Fits a linear model to the diabetes data by stochastic gradient descent."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

BATCH = 38


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_diabetes(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (y - y.mean()) / y.std()
    rows = np.random.RandomState(0).permutation(len(X))
    X, y = torch.tensor(X[rows]).float(), torch.tensor(y[rows]).float().unsqueeze(1)
    loader = DataLoader(TensorDataset(X[:342], y[:342]), batch_size=BATCH, shuffle=True)
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.04)
    for epoch in range(12):
        total = 0.0
        for x, target in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        print(f"epoch {epoch} loss {total / 342:.4f}")
    with torch.no_grad():
        left = ((model(X[342:]) - y[342:]) ** 2).mean() / y[342:].var()
    print(f"r2 {1 - left.item():.3f}")


if __name__ == "__main__":
    main()
