"""Bearing condition from vibration features, batch-normalized MLP."""
import argparse

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def bearings(n, rng):
    y = rng.integers(0, 6, n)
    centre = np.random.default_rng(5).normal(0, 0.9, (6, 16))
    x = centre[y] + rng.normal(0, 1, (n, 16))
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


def block(i, o):
    return nn.Sequential(nn.Linear(i, o, bias=False), nn.BatchNorm1d(o), nn.ReLU())


class BearingNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(block(16, 48), block(48, 48), block(48, 32))
        self.out = nn.Linear(32, 6)

    def forward(self, x):
        return self.out(self.layers(x))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--batch_size", type=int, default=2)
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--lr", type=float, default=3e-3)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    train = TensorDataset(*bearings(2000, rng))
    xt, yt = bearings(2000, rng)
    model = BearingNet()
    opt = torch.optim.Adam(model.parameters(), lr=a.lr)
    loader = DataLoader(train, batch_size=a.batch_size, shuffle=True)
    for epoch in range(a.epochs):
        model.train()
        total = 0.0
        for x, y in loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch}: loss {total / len(loader):.4f}")
    model.eval()
    with torch.no_grad():
        print(f"accuracy {(model(xt).argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
