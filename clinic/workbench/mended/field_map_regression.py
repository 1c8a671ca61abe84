"""Coordinate network: reconstruct a magnetic field map from noisy readings; score in dB against the clean map."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn


@dataclass
class Args:
    steps: int = 2000
    batch: int = 32
    lr: float = 0.02
    noise: float = 0.7
    width: int = 40


def field(p):
    x, y = p[:, 0], p[:, 1]
    return torch.sin(2 * x) * torch.cos(1.5 * y) + 0.5 * torch.exp(-((x - 0.5) ** 2 + (y + 0.3) ** 2) * 2) * 2


class Map(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, p):
        return self.net(p).squeeze(1)


def quality(model, p):
    with torch.no_grad():
        clean = field(p)
        return (10 * torch.log10(clean.var() / (model(p) - clean).pow(2).mean())).item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    cfg = Args()
    torch.manual_seed(seed)
    p = torch.rand(40000, 2) * 4 - 2
    b = field(p) + cfg.noise * torch.randn(len(p))
    grid = torch.rand(2000, 2) * 4 - 2
    model = Map(cfg.width)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.steps)
    run = 0.0
    for step in range(1, cfg.steps + 1):
        i = torch.randint(0, len(p), (cfg.batch,))
        loss = (model(p[i]) - b[i]).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        run += loss.item() / 250
        if step % 250 == 0:
            print(f"step {step} mse {run:.4f} quality {quality(model, grid):.2f} dB")
            run = 0.0
    print(f"quality_db {quality(model, grid):.3f}")


if __name__ == "__main__":
    main()
