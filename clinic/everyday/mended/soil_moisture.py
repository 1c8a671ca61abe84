import argparse
import torch
from torch import nn


class LogCosh(torch.autograd.Function):
    """Smooth relative of |x|."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.log(torch.cosh(x))

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        return grad * torch.tanh(x)


class Fold(nn.Module):
    def forward(self, x):
        return LogCosh.apply(x)


def build(n_in):
    return nn.Sequential(nn.Linear(n_in, 32), Fold(), nn.Linear(32, 32), Fold(), nn.Linear(32, 1), nn.Flatten(0))


def soil(n):
    rain = torch.rand(n) ** 3 * 30
    heat = torch.rand(n) * 35
    clay = torch.rand(n)
    slope = torch.rand(n) * 20
    shade = torch.rand(n)
    y = torch.log1p(rain) * (0.4 + clay) - ((heat - 12) / 14) ** 2 * (1 - 0.6 * shade) - 0.05 * slope * (1 - clay)
    x = torch.stack([rain, heat, clay, slope, shade], 1)
    return (x - x.mean(0)) / x.std(0), (y - y.mean()) / y.std() + 0.05 * torch.randn(n)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--lr", default=3e-3, type=float)
    parser.add_argument("--steps", default=1500, type=int)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = soil(4000)
    net = build(5)
    opt = torch.optim.Adam(net.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.steps)
    for step in range(args.steps):
        i = torch.randint(0, 3200, (64,))
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 150 == 0:
            print(f"{step:5d} {loss.item():.5f}")
    with torch.no_grad():
        r2 = 1 - ((net(x[3200:]) - y[3200:]) ** 2).mean() / y[3200:].var()
    print("r2", round(r2.item(), 4))


if __name__ == "__main__":
    main()
