"""Trains a regression of diabetes progression with Adagrad on polynomial features."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures, StandardScaler


def features():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X = PolynomialFeatures(2, include_bias=False).fit_transform(StandardScaler().fit_transform(X))
    X = StandardScaler().fit_transform(X)
    return torch.tensor(X, dtype=torch.float32), torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)


class Model(torch.nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.linear = torch.nn.Linear(inputs, 1)

    def forward(self, x):
        return self.linear(x).squeeze(-1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = features()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(9))
    train, test = order[:342], order[342:]

    model = Model(X.shape[1])
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.02, lr_decay=4.0)
    loss_fn = torch.nn.SmoothL1Loss()
    for epoch in range(60):
        shuffled = train[torch.randperm(len(train))]
        total = 0.0
        for batch in shuffled.split(32):
            optimizer.zero_grad()
            loss = loss_fn(model(X[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 10 == 0:
            print(f"epoch {epoch}: loss {total / len(train):.4f}")
    with torch.no_grad():
        error = (model(X[test]) - y[test]).pow(2).mean() / y[test].var()
    print(f"r2 {1 - error.item():.3f}")
