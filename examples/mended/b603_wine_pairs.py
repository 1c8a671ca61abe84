"""Trains a batch-normalized network on the wine data."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def block(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, n_out), nn.BatchNorm1d(n_out), nn.ReLU())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_wine(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(X))
    X, y = X[rows], y[rows]
    X = (X - X[:120].mean(axis=0)) / X[:120].std(axis=0)
    X, y = torch.tensor(X).float(), torch.tensor(y)
    loader = DataLoader(TensorDataset(X[:120], y[:120]), batch_size=20, shuffle=True)
    model = nn.Sequential(block(13, 24), *[block(24, 24) for _ in range(5)], nn.Linear(24, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(10):
        model.train()
        total = 0.0
        for x, label in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        accuracy = (model(X[120:]).argmax(1) == y[120:]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
