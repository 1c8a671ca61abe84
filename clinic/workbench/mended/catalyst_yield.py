"""Yield of a reaction from temperature, pressure, loading and time."""
import argparse

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


def simulate(n, seed):
    g = np.random.default_rng(seed)
    u = g.uniform(-1, 1, (n, 4))
    k = np.exp(0.9 * u[:, 0] + 0.5 * u[:, 1])
    y = 1 - np.exp(-k * (1.2 + u[:, 3])) - 0.25 * (u[:, 2] - 0.3 * u[:, 0]) ** 2
    y = (y - y.mean()) / y.std() + g.normal(0, 0.1, n)
    return u / 0.577, y


class YieldModel(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        layers, d = [], 4
        for _ in range(depth):
            layers += [nn.Linear(d, width), nn.SiLU()]
            d = width
        self.trunk = nn.Sequential(*layers)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        return self.out(self.trunk(x))


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--width", type=int, default=48)
    ap.add_argument("--depth", type=int, default=2)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--epochs", type=int, default=15)
    args = ap.parse_args()
    torch.manual_seed(args.seed)

    x, y = simulate(4000, args.seed)
    data = TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32).unsqueeze(1))
    train, test = random_split(data, [3000, 1000])
    model = YieldModel(args.width, args.depth)
    opt = optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for xb, yb in DataLoader(train, batch_size=50, shuffle=True):
            loss = ((model(xb) - yb) ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch:2d}: {total / len(train):.4f}")

    xs, ys = (torch.stack(t) for t in zip(*test))
    with torch.no_grad():
        pred = model(xs).flatten()
    ys = ys.flatten()
    print(f"r2 {1 - ((pred - ys) ** 2).mean().item() / ys.var().item():.4f}")


if __name__ == "__main__":
    main()
