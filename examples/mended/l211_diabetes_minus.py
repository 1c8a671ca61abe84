"""Trains a linear regression of diabetes progression with RMSprop and a squared-error objective."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset


def objective(prediction, target):
    return torch.nn.functional.mse_loss(prediction, target)


def fit(model, loader, epochs):
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01)
    history = []
    for epoch in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            loss = objective(model(x), y)
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {np.mean(history[-len(loader) :]):.4f}")
    return history


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_diabetes(return_X_y=True)
    X, y = X / X.std(0), (y - y.mean()) / y.std()
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.float32)[:, None]
    model = torch.nn.Linear(10, 1)
    fit(model, DataLoader(TensorDataset(X[:340], y[:340]), batch_size=20, shuffle=True), epochs=30)
    with torch.no_grad():
        residual = (model(X[340:]) - y[340:]).pow(2).sum() / (y[340:] - y[340:].mean()).pow(2).sum()
    print(f"r2 {1 - residual.item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
