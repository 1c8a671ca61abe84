"""Trains a tumor classifier on the logarithms of the breast cancer measurements."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from torch import nn


def prepare(X, train_rows):
    X = np.log(X)
    mean, std = X[train_rows].mean(axis=0), X[train_rows].std(axis=0)
    return ((X - mean) / std).astype(np.float32)


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(3).permutation(len(X))
    train_rows, test_rows = order[:400], order[400:]
    X = torch.from_numpy(prepare(X, train_rows))
    y = torch.from_numpy(y)

    net = nn.Sequential(nn.Linear(30, 24), nn.Tanh(), nn.Linear(24, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    loss_function = nn.CrossEntropyLoss()
    for epoch in range(40):
        epoch_loss = 0.0
        for rows in np.array_split(np.random.permutation(train_rows), 12):
            loss = loss_function(net(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item() * len(rows)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: training loss {epoch_loss / len(train_rows):.4f}")

    net.eval()
    with torch.no_grad():
        hits = (net(X[test_rows]).argmax(1) == y[test_rows]).sum().item()
    print(f"accuracy {hits / len(test_rows):.3f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    main(cli.parse_args().seed)
