"""Physics-informed network for the heat equation on a rod, u_t = 0.1 u_xx, u(x, 0) = sin(pi x)."""
import argparse
import math

import torch
import torch.nn as nn

ALPHA = 0.1


class Field(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, x, t):
        return self.net(torch.cat([2 * x - 1, 2 * t - 1], 1))


def residual(model, x, t):
    x.requires_grad_(True)
    t.requires_grad_(True)
    u = model(x, t)
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    u_xx = torch.autograd.grad(u_x.sum(), x, create_graph=True)[0]
    return u_t - ALPHA * u_xx


def objective(model, n):
    inside = residual(model, torch.rand(n, 1), torch.rand(n, 1)).pow(2).mean()
    x = torch.rand(n, 1)
    start = (model(x, torch.zeros(n, 1)) - torch.sin(math.pi * x)).pow(2).mean()
    t = torch.rand(n, 1)
    edge = model(torch.zeros(n, 1), t).pow(2).mean() + model(torch.ones(n, 1), t).pow(2).mean()
    return inside + 5 * start + 5 * edge


def score(model):
    g = torch.linspace(0, 1, 40)
    x, t = (v.reshape(-1, 1) for v in torch.meshgrid(g, g, indexing="ij"))
    exact = torch.sin(math.pi * x) * torch.exp(-ALPHA * math.pi ** 2 * t)
    with torch.no_grad():
        return -torch.log10((model(x, t) - exact).norm() / exact.norm()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iters", type=int, default=900)
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3e-3)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    model = Field()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for it in range(1, args.iters + 1):
        loss = objective(model, args.points)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if it % 40 == 0:
            print(f"iter {it} loss {loss.item():.5f}")
    print(f"digits {score(model):.4f}")
