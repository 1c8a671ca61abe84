"""Daily demand from calendar features; embedding plus MLP."""
import argparse

import numpy as np
import torch
import torch.nn as nn


class Demand(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.store = nn.Embedding(30, 8)
        self.dow = nn.Embedding(7, 4)
        self.mlp = nn.Sequential(nn.Linear(8 + 4 + 3, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, store, dow, z):
        return self.mlp(torch.cat([self.store(store), self.dow(dow), z], 1)).squeeze(1)


def demand_table(n, seed):
    fixed = np.random.default_rng(11)
    level, slope = fixed.normal(0, 1, 30), fixed.normal(0, 0.6, 30)
    weekly = fixed.normal(0, 0.7, 7)
    rng = np.random.default_rng(seed)
    store, dow = rng.integers(0, 30, n), rng.integers(0, 7, n)
    day, promo = rng.uniform(0, 2 * np.pi, n), rng.normal(size=n)
    y = level[store] + weekly[dow] * (1 + 0.5 * promo) + slope[store] * np.sin(day) + rng.normal(0, 0.2, n)
    z = np.stack([np.sin(day), np.cos(day), promo], 1) * np.array([1.41, 1.41, 1.0])
    return (torch.from_numpy(store), torch.from_numpy(dow), torch.tensor(z, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=14)
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--gamma", type=float, default=0.9)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    train, test = demand_table(6000, a.seed), demand_table(1500, a.seed + 900)
    model = Demand()
    opt = torch.optim.Adam(model.parameters(), lr=a.lr)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, a.gamma)
    for epoch in range(a.epochs):
        tot = 0.0
        for i in torch.randperm(6000).split(80):
            s, d, z, y = (t[i] for t in train)
            loss = (model(s, d, z) - y).pow(2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item()
        sched.step()
        print(f"epoch {epoch:2d} mse {tot / 75:.4f} lr {opt.param_groups[0]['lr']:.2e}")
    with torch.no_grad():
        s, d, z, y = test
        mse = (model(s, d, z) - y).pow(2).mean()
    print(f"r2 {1 - (mse / y.var()).item():.4f}")


if __name__ == "__main__":
    main()
