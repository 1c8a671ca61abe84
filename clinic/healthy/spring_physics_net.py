"""A net that obeys the equation of a damped spring: u'' + 0.4 u' + 4 u = 0, u(0) = 1, u'(0) = 0."""

import argparse

import torch
from torch import nn


def derivative(u, t):
    return torch.autograd.grad(u.sum(), t, create_graph=True)[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    net = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
    steps = 1500
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    start = torch.zeros(1, 1, requires_grad=True)
    for step in range(steps):
        t = (3 * torch.rand(48, 1)).requires_grad_()
        u = net(t)
        du = derivative(u, t)
        residual = derivative(du, t) + 0.4 * du + 4 * u
        u0 = net(start)
        loss = residual.pow(2).mean() + 10 * (u0 - 1).pow(2).mean() + 5 * derivative(u0, start).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 150 == 0:
            print("step", step, "loss", loss.item())
    t = torch.linspace(0, 3, 200)[:, None]
    w = (4 - 0.04) ** 0.5
    truth = torch.exp(-0.2 * t) * (torch.cos(w * t) + 0.2 / w * torch.sin(w * t))
    with torch.no_grad():
        print("R2", 1 - ((net(t) - truth).pow(2).mean() / truth.var()).item())


if __name__ == "__main__":
    main()
