"""Dense mixture of experts (Jacobs et al. 1991) on a piecewise-linear target."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    dim: int = 8
    experts: int = 6
    hidden: int = 32
    regimes: int = 4
    n_train: int = 4000
    n_test: int = 1000
    batch: int = 64
    epochs: int = 20
    lr: float = 1e-2
    seed: int = 0


class Expert(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(cfg.dim, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 1))

    def forward(self, x):
        return self.net(x)


class MixtureOfExperts(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.experts = nn.ModuleList(Expert(cfg) for _ in range(cfg.experts))
        self.gate = nn.Sequential(nn.Linear(cfg.dim, cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, cfg.experts))

    def forward(self, x):
        weights = F.softmax(self.gate(x), dim=0)                           # (batch, experts)
        outs = torch.stack([e(x) for e in self.experts], dim=1)            # (batch, experts, 1)
        return torch.einsum("be,beo->bo", weights, outs)


def make_data(cfg, n, gen, maps, centers):
    x = torch.randn(n, cfg.dim, generator=gen)
    regime = (x[:, :2] @ centers.T).argmax(1)
    y = (x * maps[regime]).sum(1, keepdim=True) / cfg.dim ** 0.5
    return x, y + 0.05 * torch.randn(n, 1, generator=gen)


def run(cfg):
    torch.manual_seed(cfg.seed)
    gen = torch.Generator().manual_seed(100 + cfg.seed)
    maps = torch.randn(cfg.regimes, cfg.dim, generator=gen)
    angle = torch.arange(cfg.regimes) * 2 * torch.pi / cfg.regimes
    centers = torch.stack([angle.cos(), angle.sin()], 1)
    xtr, ytr = make_data(cfg, cfg.n_train, gen, maps, centers)
    xte, yte = make_data(cfg, cfg.n_test, gen, maps, centers)

    model = MixtureOfExperts(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.epochs)
    for epoch in range(cfg.epochs):
        total = 0.0
        order = torch.randperm(cfg.n_train, generator=gen)
        for i in range(0, cfg.n_train, cfg.batch):
            idx = order[i:i + cfg.batch]
            loss = F.mse_loss(model(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        sched.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:3d}  train mse {total / cfg.n_train:.4f}")
    model.eval()
    with torch.no_grad():
        resid = ((model(xte) - yte) ** 2).sum()
        r2 = 1 - resid / ((yte - yte.mean()) ** 2).sum()
    return r2.item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--epochs", type=int, default=Config.epochs)
    p.add_argument("--lr", type=float, default=Config.lr)
    print(f"r2 {run(Config(**vars(p.parse_args()))):.4f}")
