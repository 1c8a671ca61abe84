"""Predict mean and noise level of a sensor (Gaussian likelihood with input-dependent variance)."""
import argparse
import math

import torch
import torch.nn as nn


class Probabilistic(nn.Module):
    def __init__(self, width=40):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.head = nn.Linear(width, 2)

    def forward(self, x):
        mean, log_var = self.head(self.body(x)).unbind(1)
        return mean, log_var.clamp(-9, 3)


def nll(mean, log_var, y):
    return (0.5 * (log_var + (y - mean) ** 2 / log_var.exp())).mean() + 0.5 * math.log(2 * math.pi)


def sensor(n, gen):
    x = torch.rand(n, 1, generator=gen) * 4 - 2
    sigma = 0.03 + 0.1 * torch.sigmoid(3 * x[:, 0])
    return x, torch.sin(2 * x[:, 0]) * 1.2 + sigma * torch.randn(n, generator=gen), sigma


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=2000)
    ap.add_argument("--lr", type=float, default=3e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    gen = torch.Generator().manual_seed(a.seed)
    x, y, _ = sensor(8000, gen)
    xt, yt, st = sensor(2000, gen)
    net = Probabilistic()
    opt = torch.optim.Adam(net.parameters(), lr=a.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.steps)
    for step in range(1, a.steps + 1):
        i = torch.randint(0, len(x), (128,), generator=gen)
        loss = nll(*net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        opt.step()
        sched.step()
        if step % 250 == 0:
            print(f"step {step} nll {loss.item():.3f}")
    with torch.no_grad():
        mean, log_var = net(xt)
    best = (st.log() + 0.5 + 0.5 * math.log(2 * math.pi)).mean().item()
    print(f"gap {best - nll(mean, log_var, yt).item():.4f}")


if __name__ == "__main__":
    main()
