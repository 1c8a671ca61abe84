"""Trains a tumor classifier whose layers start from tensors allocated by the script, with Adam."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


class Dense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / inputs**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Dense(30, 20)
        self.b = Dense(20, 20)
        self.c = Dense(20, 2)

    def forward(self, x):
        x = torch.tanh(self.a(x))
        x = torch.tanh(self.b(x))
        return self.c(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_breast_cancer(return_X_y=True)
    X, y = torch.tensor((X - X.mean(0)) / X.std(0)).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:400], order[400:]
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(30):
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(40):
            optimizer.zero_grad()
            loss = loss_fn(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
