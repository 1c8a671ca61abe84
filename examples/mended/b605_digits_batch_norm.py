"""Trains a deep batch-normalized classifier on digits and reports the test accuracy after every few epochs."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def block(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.Sigmoid())


class DeepNet(nn.Module):
    def __init__(self, depth=8, width=32):
        super().__init__()
        self.blocks = nn.Sequential(block(64, width), *[block(width, width) for _ in range(depth - 1)])
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        return self.out(self.blocks(x))


def evaluate(model, loader):
    model.eval()
    hits = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (model(x).argmax(1) == y).sum().item()
    return hits / len(loader.dataset)


def train(model, train_loader, test_loader, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    print(f"before training: accuracy {evaluate(model, test_loader):.3f}")
    for epoch in range(epochs):
        total = 0.0
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(train_loader):.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train_loader = DataLoader(TensorDataset(X[rows[:1400]], y[rows[:1400]]), batch_size=50, shuffle=True)
    test_loader = DataLoader(TensorDataset(X[rows[1400:]], y[rows[1400:]]), batch_size=100)
    model = DeepNet()
    train(model, train_loader, test_loader, epochs=25)
    print(f"accuracy {evaluate(model, test_loader):.3f}")
