"""Predicts the progress of diabetes after a year with a network of two wide layers."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn


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
    X_train, y_train, X_val, y_val = X[:300], y[:300], X[300:], y[300:]
    model = nn.Sequential(nn.Linear(10, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.MSELoss()
    epochs = 120
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(300).split(30):
            optimizer.zero_grad()
            loss = criterion(model(X_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        with torch.no_grad():
            val_loss = criterion(model(X_val), y_val).item()
        if epoch % 10 == 0:
            print(f"epoch {epoch} train {total / 10:.4f} validation {val_loss:.4f}")
    print(f"r2 {1 - val_loss / y_val.var().item():.3f}")


if __name__ == "__main__":
    main()
