"""Fits a regularized logistic regression of breast cancer with L-BFGS and a closure."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler


class LogisticRegression(torch.nn.Module):
    def __init__(self, features):
        super().__init__()
        self.linear = torch.nn.Linear(features, 1)

    def forward(self, x):
        return self.linear(x)[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_breast_cancer(return_X_y=True)
    X = torch.tensor(StandardScaler().fit_transform(X), dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.float32)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:400], order[400:]
    model = LogisticRegression(30)
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=4, history_size=10)
    criterion = torch.nn.BCEWithLogitsLoss()

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(X[train]), y[train]) + 0.01 * model.linear.weight.pow(2).sum()
        loss.backward()
        return loss

    for step in range(100):
        loss = optimizer.step(closure)
        if step % 10 == 0:
            print(f"step {step} loss {loss.item():.5f}")
    with torch.no_grad():
        right = (model(X[test]) > 0) == y[test].bool()
    print(f"accuracy {right.float().mean().item():.3f}")


if __name__ == "__main__":
    main()
