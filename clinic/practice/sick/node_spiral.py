"""Neural ODE (Chen et al. 2018) on spirals, discretize-then-optimize with a fixed-step RK4."""
import argparse
import torch
import torch.nn as nn

A_TRUE = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])


class Field(nn.Module):
    def __init__(self, h=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, h), nn.Tanh(), nn.Linear(h, 2))

    def forward(self, y):
        return self.net(y ** 3)


def rk4(f, y, dt, steps):
    path = [y]
    for _ in range(steps):
        k1 = f(y)
        k2 = f(y + 0.5 * dt * k1)
        k3 = f(y + 0.5 * dt * k2)
        k4 = f(y + dt * k3)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        path.append(y)
    return torch.stack(path)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--iters", type=int, default=350)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=2.0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    dt, n = 0.05, 8
    with torch.no_grad():
        starts = torch.rand(500, 2) * 2.4 - 1.2
        truth = rk4(lambda y: (y ** 3) @ A_TRUE, starts, dt / 4, n * 4)[::4]
    f = Field()
    opt = torch.optim.Adam(f.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.iters)
    for it in range(args.iters):
        idx = torch.randint(0, 400, (args.batch,))
        loss = (rk4(f, starts[idx], dt, n)[1:] - truth[1:, idx]).abs().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if it % 35 == 0:
            print(f"iter {it:4d} | loss {loss.item():.5f}")
    with torch.no_grad():
        moved = (truth[-1, 400:] - starts[400:]).pow(2).sum()
        err = (rk4(f, starts[400:], dt, n)[-1] - truth[-1, 400:]).pow(2).sum()
    print(f"displacement_r2 {1 - (err / moved).item():.4f}")


if __name__ == "__main__":
    main()
