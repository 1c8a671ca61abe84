import argparse
import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    omega: float = 2.0
    damping: float = 0.2
    t_end: float = 3.0
    points: int = 64
    steps: int = 1500
    lr: float = 5e-3
    gamma: float = 0.998


class Field(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, t):
        return self.net(t)


def derivative(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


def exact(t, cfg):
    w = math.sqrt(cfg.omega ** 2 - cfg.damping ** 2)
    return torch.exp(-cfg.damping * t) * (torch.cos(w * t) + cfg.damping / w * torch.sin(w * t))


def losses(model, cfg):
    t = (torch.rand(cfg.points, 1) * cfg.t_end).requires_grad_(True)
    u = model(t)
    du = derivative(u, t)
    ddu = derivative(du, t)
    residual = ddu + 2 * cfg.damping * du + cfg.omega ** 2 * u
    t0 = torch.zeros(1, 1, requires_grad=True)
    u0 = model(t0)
    v0 = derivative(u0, t0)
    return (residual ** 2).mean(), ((u0 - 1) ** 2 + v0 ** 2).sum()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    cfg = Config()
    model = Field()
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, cfg.gamma)
    for step in range(cfg.steps):
        pde, initial = losses(model, cfg)
        loss = pde + 20 * initial
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 150 == 0:
            print(f"{step} pde {pde.item():.5f} initial {initial.item():.5f}")
    t = torch.linspace(0, cfg.t_end, 200)[:, None]
    with torch.no_grad():
        err = ((model(t) - exact(t, cfg)) ** 2).mean() / exact(t, cfg).var()
    print(f"r2 {1 - err.item():.4f}")
