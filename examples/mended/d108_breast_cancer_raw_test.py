"""Trains a small network on the breast cancer measurements and tests it on patients that were held back."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(30, 24)
        self.out = nn.Linear(24, 2)

    def forward(self, x):
        return self.out(torch.tanh(self.hidden(x)))


def evaluate(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    mean, std = X_train.mean(axis=0), X_train.std(axis=0)
    X_train = torch.tensor((X_train - mean) / std).float()
    X_test = torch.tensor((X_test - mean) / std).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(20):
        total = 0.0
        for rows in torch.randperm(len(X_train)).split(16):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        print(f"epoch {epoch} loss {total / len(X_train):.4f} test {evaluate(model, X_test, y_test):.3f}")
    print(f"accuracy {evaluate(model, X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
