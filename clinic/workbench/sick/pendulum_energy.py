"""Surrogate for the energy of a double pendulum; compares three widths in one run."""
import argparse
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn


@dataclass
class Setup:
    width: int
    lr: float = 4e-3
    iters: int = 1000
    batch: int = 64


def pendulum(n, seed):
    rng = np.random.default_rng(seed)
    th1, th2 = rng.uniform(-2, 2, (2, n))
    w1, w2 = rng.normal(0, 1, (2, n))
    e = w1 ** 2 + 0.5 * w2 ** 2 + w1 * w2 * np.cos(th1 - th2) - 2 * np.cos(th1) - np.cos(th2)
    e = (e - 0.3) / 2.3
    x = np.stack([np.sin(th1), np.cos(th1), np.sin(th2), np.cos(th2), w1, w2], 1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(e, dtype=torch.float32).view(-1, 1)


class Surrogate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, width), nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        h = torch.tanh(self.b(h))
        return self.c(h).squeeze(-1)


def r2(model, x, e):
    with torch.no_grad():
        p = model(x).view(-1)
    return 1 - ((p - e.view(-1)) ** 2).mean().item() / e.var().item()


def fit(setup, train, test):
    model = Surrogate(setup.width)
    optimizer = torch.optim.Adam(model.parameters(), lr=setup.lr)
    x, e = train
    for it in range(1, setup.iters + 1):
        i = torch.randint(0, len(x), (setup.batch,))
        pred = model(x[i])
        loss = torch.mean(torch.abs(pred - e[i]) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if it % 250 == 0:
            print(f"width {setup.width} iter {it} loss {loss.item():.4f} r2 {r2(model, *test):.3f}")
    return r2(model, *test)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    train, test = pendulum(6000, args.seed), pendulum(1000, args.seed + 31)
    scores = [fit(Setup(width=w), train, test) for w in (16, 32, 64)]
    print(f"best_r2 {max(scores):.4f}")
