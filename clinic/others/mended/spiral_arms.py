"""Three spiral arms, a residual MLP, OneCycle."""
import argparse
import math
import torch
from torch import nn


def spiral(n, arms=3):
    y = torch.randint(arms, (n,))
    r = torch.rand(n)
    th = 4 * r + y * 2 * math.pi / arms + 0.15 * torch.randn(n)
    return torch.stack([r * th.cos(), r * th.sin()], 1) * 1.7, y


class ResidualBlock(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a, self.b = nn.Linear(d, d), nn.Linear(d, d)

    def forward(self, x):
        return x + self.b(torch.relu(self.a(x)))


class Net(nn.Module):
    def __init__(self, width=32, blocks=2):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.blocks = nn.Sequential(*[ResidualBlock(width) for _ in range(blocks)])
        self.out = nn.Linear(width, 3)

    def forward(self, x):
        return self.out(self.blocks(self.inp(x)))


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=700)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    (x, y), (xt, yt) = spiral(3000), spiral(1000)
    net = Net()
    opt = torch.optim.Adam(net.parameters())
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 5e-3, total_steps=args.steps)
    for k in range(args.steps):
        i = torch.randint(len(x), (64,))
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if k % 100 == 0:
            print(f"{k} lr {sched.get_last_lr()[0]:.5f} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(xt).argmax(1) == yt).float().mean().item():.4f}")
