"""Reptile (Nichol et al. 2018): every outer step sees another sine wave."""
import argparse
import copy
import math
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
ap.add_argument('--outer', type=int, default=500)
ap.add_argument('--inner', type=int, default=8)
ap.add_argument('--inner_lr', type=float, default=0.08)
ap.add_argument('--outer_lr', type=float, default=0.3)
args = ap.parse_args()
torch.manual_seed(args.seed)


def task():
    amp, phase = 0.5 + 1.5 * torch.rand(1), math.pi * torch.rand(1)
    return lambda x: amp * torch.sin(2.5 * x + phase)


def points(n):
    return torch.rand(n, 1) * 4 - 2


def adapt(net, f, steps, x):
    opt = torch.optim.SGD(net.parameters(), lr=args.inner_lr)
    for _ in range(steps):
        loss = ((net(x) - f(x)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


meta = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
seen = 0.
for it in range(args.outer):
    fast = copy.deepcopy(meta)
    loss = adapt(fast, task(), args.inner, points(32))
    frac = args.outer_lr * (1 - it / args.outer)
    with torch.no_grad():
        for w, v in zip(meta.parameters(), fast.parameters()):
            w += frac * (v - w)
    seen = loss if it == 0 else .97 * seen + .03 * loss
    if it % 50 == 0:
        print('outer', it, 'after adaptation', round(seen, 4))
errs, base = 0., 0.
for _ in range(40):
    f, net, x = task(), copy.deepcopy(meta), points(32)
    adapt(net, f, 24, x)
    with torch.no_grad():
        grid = torch.linspace(-2, 2, 200).unsqueeze(1)
        errs += ((net(grid) - f(grid)) ** 2).mean().item()
        base += f(grid).var().item()
print('few_shot_r2 %.4f' % (1 - errs / base))
