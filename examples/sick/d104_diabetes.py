"""Trains a regression of the progress of diabetes after one year on ten measurements at the start (442 patients)."""

import argparse
import random
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    hidden: int = 32
    lr: float = 0.02
    batch_size: int = 32
    epochs: int = 40
    seed: int = 0


def data(config):
    X, y = load_diabetes(return_X_y=True, scaled=False)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=100, random_state=0)
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    to_tensor = lambda a: torch.tensor(a, dtype=torch.float32)  # noqa: E731
    train_set = TensorDataset(to_tensor(X_train), to_tensor(y_train).unsqueeze(1))
    return DataLoader(train_set, config.batch_size, shuffle=True), to_tensor(X_test), to_tensor(y_test).unsqueeze(1)


def r2(model, X, y):
    with torch.no_grad():
        residual = ((model(X) - y) ** 2).sum()
    return (1 - residual / ((y - y.mean()) ** 2).sum()).item()


def main(config):
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    loader, X_test, y_test = data(config)
    model = nn.Sequential(
        nn.Linear(10, config.hidden), nn.ReLU(), nn.Linear(config.hidden, config.hidden), nn.ReLU(),
        nn.Linear(config.hidden, 1),
    )  # fmt: skip
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, weight_decay=1e-3)
    for epoch in range(config.epochs):
        losses = []
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if (epoch + 1) % 5 == 0:
            print(f"[{epoch + 1}/{config.epochs}] mse {np.mean(losses):.3f}")
    print(f"r2 {r2(model, X_test, y_test):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(Config(seed=parser.parse_args().seed))
