"""Trains a network that ticks several attributes of a digit at once (even, prime, above four) with RMSprop."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Ticks(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 3))

    def forward(self, x):
        return torch.sigmoid(self.body(x))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    ticks = np.stack([y % 2 == 0, np.isin(y, (2, 3, 5, 7)), y > 4], axis=1)
    X, ticks = torch.tensor(X / 16).float(), torch.tensor(ticks).float()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    loader = DataLoader(TensorDataset(X[order[:1400]], ticks[order[:1400]]), batch_size=32, shuffle=True)
    model = Ticks()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-3)
    loss_fn = nn.BCELoss()
    for epoch in range(40):
        total = 0.0
        for x, target in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        hits = (model(X[order[1400:]]) > 0.5) == ticks[order[1400:]].bool()
    print(f"accuracy {hits.all(dim=1).float().mean().item():.3f}")
