"""Trains a regression of diabetes progression with a robust loss that is computed by a function of its own."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn


def robust_loss(prediction, target):
    error = prediction - target
    return torch.mean(torch.sqrt(1.0 + error**2) - 1.0)


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_diabetes(return_X_y=True)
    X = torch.tensor(X / X.std(axis=0), dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32).unsqueeze(1)
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(6))
    train, test = rows[:330], rows[330:]

    model = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for epoch in range(40):
        losses = []
        for batch in train[torch.randperm(len(train))].split(30):
            optimizer.zero_grad()
            loss = robust_loss(model(X[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 8 == 0:
            print(f"epoch {epoch:2d} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        residual = ((model(X[test]) - y[test]) ** 2).sum() / ((y[test] - y[test].mean()) ** 2).sum()
    print(f"r2 {1 - residual.item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
