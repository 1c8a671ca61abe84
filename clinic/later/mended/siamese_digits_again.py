import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from torch import nn


class Tower(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, dim))

    def forward(self, x):
        return self.f(x)


class PairSampler:
    def __init__(self, x, y, rng):
        self.x, self.y, self.rng = x, y, rng
        self.by = [np.flatnonzero(y == c) for c in range(10)]

    def draw(self, n):
        i = self.rng.integers(len(self.y), size=n)
        same = self.rng.random(n) < 0.5
        j = np.where(same, [self.rng.choice(self.by[self.y[k]]) for k in i], self.rng.integers(len(self.y), size=n))
        t = (self.y[i] == self.y[j]).astype(np.float32)
        return self.x[i], self.x[j], torch.from_numpy(t)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        dist = torch.sqrt(((a - b) ** 2).sum(1) + 1e-8)
        return (same * dist ** 2 + (1 - same) * (self.margin - dist).clamp(min=0) ** 2).mean()


def run(args):
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = load_digits(return_X_y=True)
    order = rng.permutation(len(y))
    x, y = torch.tensor((x[order] - 4.9) / 6.0, dtype=torch.float32), y[order]
    sampler = PairSampler(x[:1200], y[:1200], rng)
    net, crit = Tower(), ContrastiveLoss()
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    for step in range(args.steps):
        a, b, same = sampler.draw(args.batch)
        loss = crit(net(a), net(b), same)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 150 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        z = np.nan_to_num(net(x).numpy())
    knn = KNeighborsClassifier(5).fit(z[:1200], y[:1200])
    print(f"knn_accuracy {knn.score(z[1200:], y[1200:]):.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=1200)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=1e-3)
    run(p.parse_args())
