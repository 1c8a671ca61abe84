"""Trains a digit classifier on images that are put in order of their brightness first."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def prepared():
    images, labels = load_digits(return_X_y=True)
    order = np.argsort(images.sum(axis=1), kind="stable")
    images, labels = images[order], labels[order]
    return torch.tensor(images / 16).float(), torch.tensor(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = prepared()
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = rows[:1350], rows[1350:]
    loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=30, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(20):
        total = 0.0
        for x, label in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        accuracy = (model(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
