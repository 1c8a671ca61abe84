"""Physics-informed network (Raissi et al. 2019) for cooling with a periodic surrounding:  tau u' = e(t) - u,  u(0) = 1."""
import argparse
from dataclasses import dataclass
import math
import torch
from torch import nn


@dataclass
class Problem:
    horizon: float = 1800.0     # seconds
    tau: float = 360.0
    amp: float = 0.4
    period: float = 1200.0

    def surrounding(self, t):
        return self.amp * torch.sin(2 * math.pi * t / self.period)

    def exact(self, t):
        w = 2 * math.pi / self.period * self.tau
        c = self.amp / (1 + w * w)
        s = 2 * math.pi * t / self.period
        return c * (torch.sin(s) - w * torch.cos(s)) + (1 + c * w) * torch.exp(-t / self.tau)


class Net(nn.Module):
    def __init__(self, problem, width=32):
        super().__init__()
        self.horizon = problem.horizon
        self.layers = nn.Sequential(nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, t):
        return self.layers(4 * t / self.horizon - 2)


def residual(net, problem, t):
    t = t.requires_grad_(True)
    u = net(t)
    du, = torch.autograd.grad(u.sum(), t, create_graph=True)
    return problem.tau * du + u - problem.surrounding(t)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1000)
    ap.add_argument("--points", type=int, default=128)
    ap.add_argument("--lr", type=float, default=1e-2)
    ns = ap.parse_args()
    torch.manual_seed(ns.seed)
    problem = Problem()
    net = Net(problem)
    opt = torch.optim.Adam(net.parameters(), lr=ns.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, ns.steps)
    zero = torch.zeros(1, 1)
    for step in range(ns.steps):
        t = torch.rand(ns.points, 1) * problem.horizon
        physics = residual(net, problem, t).pow(2).mean()
        initial = (net(zero) - 1).pow(2).mean()
        loss = physics + 2 * initial
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 100 == 0:
            print(f"{step} physics {physics.item():.5f} initial {initial.item():.5f}")
    with torch.no_grad():
        t = torch.linspace(0, problem.horizon, 400).unsqueeze(1)
        u = problem.exact(t)
        print(f"score {1 - ((net(t) - u).pow(2).mean() / u.var()).item():.4f}")


if __name__ == "__main__":
    main()
