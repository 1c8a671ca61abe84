"""Trains a regression of diabetes progression on standardized data, with early reports of the validation error."""

import argparse
import random
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch import nn


@dataclass
class Options:
    lr: float = 0.05
    momentum: float = 0.9
    batch: int = 38
    epochs: int = 30


def standardized():
    X, y = load_diabetes(return_X_y=True, scaled=False)
    data = np.column_stack([X, y]).astype(np.float32)
    data = (data - data.mean(0)) / data.std(0)
    data = torch.from_numpy(data[np.random.default_rng(8).permutation(len(data))])
    return data[:342, :10], data[:342, 10:], data[342:, :10], data[342:, 10:]


def main(seed, options):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y, X_val, y_val = standardized()
    model = nn.Sequential()
    model.add_module("hidden", nn.Linear(10, 16))
    model.add_module("activation", nn.Sigmoid())
    model.add_module("output", nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=options.lr, momentum=options.momentum, nesterov=True)
    for epoch in range(options.epochs):
        for rows in torch.randperm(len(X)).split(options.batch):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0 or epoch == options.epochs - 1:
            with torch.no_grad():
                validation = nn.functional.mse_loss(model(X_val), y_val)
            print(f"epoch {epoch}: loss {loss.item():.4f} validation {validation.item():.4f}")
    with torch.no_grad():
        r2 = 1 - nn.functional.mse_loss(model(X_val), y_val) / y_val.var(unbiased=False)
    print(f"r2 {r2.item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed, Options())
