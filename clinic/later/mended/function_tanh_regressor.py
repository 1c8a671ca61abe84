import argparse

import torch
from torch import nn


class FastTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        (y,) = ctx.saved_tensors
        return grad * (1 - y * y)


class Tanh(nn.Module):
    def forward(self, x):
        return FastTanh.apply(x)


def target(x):
    return torch.sin(2 * x[:, 0]) * x[:, 1] + 0.7 * x[:, 2] ** 2 - torch.cos(x[:, 3] * x[:, 0])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--width", type=int, default=64)
    p.add_argument("--steps", type=int, default=2000)
    args = p.parse_args()
    torch.manual_seed(args.seed)
    x = torch.randn(4000, 4)
    y = target(x) + 0.05 * torch.randn(4000)
    y = (y - y.mean()) / y.std()
    xt, yt, xv, yv = x[:3200], y[:3200], x[3200:], y[3200:]
    net = nn.Sequential(
        nn.Linear(4, args.width), Tanh(),
        nn.Linear(args.width, args.width), Tanh(),
        nn.Linear(args.width, 1),
    )
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 100) * (1 - 0.95 * s / args.steps))
    for step in range(args.steps):
        idx = torch.randint(3200, (128,))
        loss = nn.functional.mse_loss(net(xt[idx]).squeeze(1), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 200 == 0:
            print(f"{step} {loss.item():.4f}")
    with torch.no_grad():
        r2 = 1 - ((net(xv).squeeze(1) - yv) ** 2).mean() / yv.var()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    main()
