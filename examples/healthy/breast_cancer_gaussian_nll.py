"""Trains a network that gives a mean and a variance for the mean area of a tumor; its loss may be below zero."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


class MeanAndVariance(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(9, 24), nn.Tanh())
        self.mean = nn.Linear(24, 1)
        self.spread = nn.Linear(24, 1)

    def forward(self, x):
        h = self.shared(x)
        return self.mean(h).squeeze(1), nn.functional.softplus(self.spread(h)).squeeze(1) + 1e-3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X = load_breast_cancer().data[:, :10]
    X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    y = X[:, 3]
    X = torch.cat([X[:, :3], X[:, 4:]], dim=1)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:450], order[450:]
    model = MeanAndVariance()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=80)
    criterion = nn.GaussianNLLLoss()
    for epoch in range(80):
        losses = []
        for rows in train[torch.randperm(len(train))].split(45):
            optimizer.zero_grad()
            mean, variance = model(X[rows])
            loss = criterion(mean, y[rows], variance)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        mean, _ = model(X[test])
    print(f"r2 {1 - ((mean - y[test]) ** 2).mean().item() / y[test].var().item():.3f}")


if __name__ == "__main__":
    main()
