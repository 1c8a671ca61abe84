"""Trains a classifier on labels of which three in ten are drawn against the rule; the best loss possible is 0.611."""

import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sample(n, rng):
    X = rng.normal(size=(n, 5)).astype(np.float32)
    y = rng.random(n) < 0.5 + 0.2 * np.sign(X[:, 0])
    return torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(0)
    (X, y), (X_test, y_test) = sample(20000, rng), sample(2000, rng)
    loader = DataLoader(TensorDataset(X, y), batch_size=200, shuffle=True)
    net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(12):
        total = 0.0
        for x, target in loader:
            loss = criterion(net(x), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 2 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        accuracy = (net(X_test).argmax(1) == y_test).float().mean().item()
    print(f"accuracy {accuracy:.3f}")
