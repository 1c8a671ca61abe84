"""Which arm of a three-arm spiral does a star belong to? Width study."""
import argparse

import torch
import torch.nn as nn


def spiral(n, gen):
    y = torch.randint(0, 3, (n,), generator=gen)
    r = torch.rand(n, generator=gen).sqrt()
    th = y * 2.094 + 7.5 * r + 0.15 * torch.randn(n, generator=gen)
    return torch.stack([r * th.cos(), r * th.sin()], 1) * 2, y


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--width", type=int, default=48)
parser.add_argument("--steps", type=int, default=1250)
parser.add_argument("--lr", type=float, default=5e-3)
args = parser.parse_args()
torch.manual_seed(args.seed)
gen = torch.Generator().manual_seed(args.seed + 3)
x, y = spiral(6000, gen)
xt, yt = spiral(1500, gen)
net = nn.Sequential(nn.Linear(2, args.width), nn.Tanh(), nn.Linear(args.width, args.width), nn.Tanh(),
                    nn.Linear(args.width, 3))
opt = torch.optim.Adam(net.parameters(), lr=args.lr)
for step in range(1, args.steps + 1):
    i = torch.randint(0, 6000, (128,), generator=gen)
    loss = nn.functional.cross_entropy(net(x[i]), y[i])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 250 == 0:
        with torch.no_grad():
            out = net(xt)
            val = nn.functional.cross_entropy(out, yt).item()
            acc = (out.argmax(1) == yt).float().mean().item()
        print(f"width {args.width} step {step} train {loss.item():.3f} val {val:.3f} acc {acc:.3f}")
print(f"accuracy {acc:.4f}")
