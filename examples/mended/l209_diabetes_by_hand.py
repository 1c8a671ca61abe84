"""Trains a regression of diabetes progression with a squared error written out, and SGD."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 24)
        self.fc2 = nn.Linear(24, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x))).squeeze(1)


def squared_error(prediction, target):
    return torch.mean((prediction - target) ** 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = torch.tensor(StandardScaler().fit_transform(X)).float()
    y = torch.tensor(StandardScaler().fit_transform(y[:, None])[:, 0]).float()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(1))
    train, test = order[:340], order[340:]
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, weight_decay=1e-3)
    for epoch in range(40):
        losses = []
        for rows in train[torch.randperm(len(train))].split(34):
            optimizer.zero_grad()
            loss = squared_error(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        residual = (model(X[test]) - y[test]).pow(2).sum() / (y[test] - y[test].mean()).pow(2).sum()
    print(f"r2 {1 - residual.item():.3f}")


if __name__ == "__main__":
    main()
