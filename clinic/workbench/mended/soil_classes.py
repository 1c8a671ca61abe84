"""Soil class from six field measurements (small reproduction with synthetic plots)."""
import argparse
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass
class Config:
    seed: int = 0
    hidden: int = 48
    lr: float = 1e-3
    batch: int = 64
    epochs: int = 20


def plots(n, rng):
    z = rng.normal(size=(n, 6))
    mean = np.array([6.5, 1200.0, 900.0, 1800.0, 0.30, 15.0])
    std = np.array([0.8, 400.0, 250.0, 600.0, 0.10, 5.0])
    wet = z[:, 2] - 0.7 * z[:, 5] + 0.5 * z[:, 4] * z[:, 0]
    salt = z[:, 1] + 0.8 * np.sin(1.5 * z[:, 0]) - 0.4 * z[:, 4]
    y = np.where(salt > 0.6, 2, np.where(wet > 0, 1, 0))
    return (mean + std * z).astype(np.float32), y


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        rng = np.random.default_rng(cfg.seed)
        x, y = plots(4500, rng)
        xv, yv = plots(1500, rng)
        mu, sd = x.mean(0), x.std(0)
        x, xv = (x - mu) / sd, (xv - mu) / sd
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)
        self.xv, self.yv = torch.from_numpy(xv), torch.from_numpy(yv)
        self.net = nn.Sequential(nn.Linear(6, cfg.hidden), nn.ReLU(),
                                 nn.Linear(cfg.hidden, cfg.hidden), nn.ReLU(),
                                 nn.Linear(cfg.hidden, 3))
        self.opt = torch.optim.Adam(self.net.parameters(), lr=cfg.lr)

    def epoch(self):
        self.net.train()
        total = 0.0
        order = torch.randperm(len(self.x))
        for idx in order.split(self.cfg.batch):
            loss = nn.functional.cross_entropy(self.net(self.x[idx]), self.y[idx])
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            total += loss.item() * len(idx)
        return total / len(order)

    @torch.no_grad()
    def accuracy(self):
        self.net.eval()
        return (self.net(self.xv).argmax(1) == self.yv).float().mean().item()

    def fit(self):
        for e in range(self.cfg.epochs):
            loss = self.epoch()
            if e % 5 == 0 or e == self.cfg.epochs - 1:
                print(f"epoch {e:3d}  loss {loss:.4f}  val acc {self.accuracy():.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--lr", type=float, default=Config.lr)
    a = p.parse_args()
    t = Trainer(Config(seed=a.seed, lr=a.lr))
    t.fit()
    print(f"accuracy {t.accuracy():.4f}")
