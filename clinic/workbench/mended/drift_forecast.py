"""Multi-step forecast of a drifting sensor with a residual MLP."""
import argparse

import numpy as np
import torch
import torch.nn as nn


class Forecaster(nn.Module):
    """Maps the last `window` readings to the next `horizon` ones."""

    def __init__(self, window, horizon, width=64):
        super().__init__()
        self.inp = nn.Linear(window, width)
        self.mid = nn.Linear(width, width)
        self.out = nn.Linear(width, horizon)

    def forward(self, x):
        h = torch.relu(self.inp(x))
        h = h + torch.relu(self.mid(h))
        return self.out(h)


def sensor(n, rng):
    t = np.arange(n)
    s = 1.4 * np.sin(t / 9.0) + 0.9 * np.sin(t / 23.0 + 1) + 0.6 * np.sin(t / 4.0)
    walk = np.zeros(n)
    for i in range(1, n):
        walk[i] = 0.98 * walk[i - 1] + rng.normal(0, 0.05)
    return s + walk


def windows(series, w, h):
    idx = np.arange(len(series) - w - h)
    x = np.stack([series[i:i + w] for i in idx])
    y = np.stack([series[i + w:i + w + h] for i in idx])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def fit(cfg):
    torch.manual_seed(cfg.seed)
    rng = np.random.default_rng(cfg.seed)
    series = sensor(5000, rng)
    series = (series - series.mean()) / series.std()
    x, y = windows(series, cfg.window, cfg.horizon)
    split = 4000
    model = Forecaster(cfg.window, cfg.horizon)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    loss_fn = nn.MSELoss()
    for it in range(cfg.iters):
        pick = torch.randint(0, split, (cfg.batch,))
        loss = loss_fn(model(x[pick]), y[pick])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if it % 300 == 0 or it == cfg.iters - 1:
            with torch.no_grad():
                val = loss_fn(model(x[split + 50:]), y[split + 50:]).item()
            print(f"iter {it:5d}  train {loss.item():.4f}  val {val:.4f}")
    with torch.no_grad():
        err = (model(x[split + 50:]) - y[split + 50:]).pow(2).mean()
    return 1 - (err / y[split + 50:].var()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for flag, kind, default in [("seed", int, 0), ("window", int, 32), ("horizon", int, 8),
                                ("lr", float, 1e-3), ("batch", int, 64), ("iters", int, 1500)]:
        parser.add_argument(f"--{flag}", type=kind, default=default)
    print(f"r2 {fit(parser.parse_args()):.4f}")
