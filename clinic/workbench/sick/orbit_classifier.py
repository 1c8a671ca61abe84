"""Classify orbits from elements (port of the supplementary code)."""
import argparse

import numpy as np
import torch
from torch import nn


def orbits(n, rng):
    x = rng.normal(size=(n, 5)).astype(np.float32)
    s = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.4 * x[:, 3]
    return torch.from_numpy(x), torch.from_numpy(np.digitize(s, [-0.6, 0.6]))


class OrbitNet(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.l1 = nn.Linear(5, hidden)
        self.l2 = nn.Linear(hidden, hidden)
        self.l3 = nn.Linear(hidden, 3)
        self.reset()

    def reset(self):
        for layer in (self.l1, self.l2, self.l3):
            nn.init.constant_(layer.weight, layer.in_features ** -1.0)
            nn.init.constant_(layer.bias, 0.0)

    def forward(self, x):
        return self.l3(torch.tanh(self.l2(torch.tanh(self.l1(x)))))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--lr", type=float, default=5e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    x, y = orbits(6000, rng)
    xv, yv = orbits(1500, rng)
    net = OrbitNet()
    opt = torch.optim.Adam(net.parameters(), lr=a.lr)
    for epoch in range(a.epochs):
        total = 0.0
        for idx in torch.randperm(6000).split(75):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        with torch.no_grad():
            acc = (net(xv).argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} loss {total / 80:.4f} val {acc:.3f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
