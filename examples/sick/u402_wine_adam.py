"""Which of three growers made the wine? A small network on thirteen measurements."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine


def batches(X, y, size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), size):
        part = order[start : start + size]
        yield X[part], y[part]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=2e-6)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    X, y = load_wine(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(X))
    train, test = order[:130], order[130:]
    X = (X - X[train].mean(0)) / X[train].std(0)
    X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)

    model = torch.nn.Sequential(
        torch.nn.Linear(13, 32),
        torch.nn.Tanh(),
        torch.nn.Linear(32, 32),
        torch.nn.Tanh(),
        torch.nn.Linear(32, 3),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(60):
        for xb, yb in batches(X[train], y[train], 16, rng):
            loss = F.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: {loss.item():.3f}")
    with torch.no_grad():
        accuracy = (model(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
