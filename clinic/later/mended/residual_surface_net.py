import argparse
import copy

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, x):
        return x + self.fc2(F.silu(self.fc1(x)))


class SurfaceNet(nn.Module):
    def __init__(self, inputs, width, depth):
        super().__init__()
        self.stem = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x).squeeze(-1)


def surface(x):
    return torch.sin(3 * x[:, 0]) * torch.cos(2 * x[:, 1]) + x[:, 2] * x[:, 3] + torch.tanh(3 * x[:, 4]) * x[:, 0]


def fit(args):
    torch.manual_seed(args.seed)
    x = torch.rand(6000, 5) * 2 - 1
    y = surface(x)
    y = (y - y.mean()) / y.std() + 0.05 * torch.randn(len(y))
    train, val, test = slice(0, 4500), slice(4500, 5000), slice(5000, 6000)
    model = SurfaceNet(5, 24, 2)
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.epochs)
    best, state = float("inf"), None
    for epoch in range(args.epochs):
        total = 0.0
        for idx in torch.randperm(4500).split(100):
            loss = F.mse_loss(model(x[train][idx]), y[train][idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        sched.step()
        with torch.no_grad():
            v = F.mse_loss(model(x[val]), y[val]).item()
        if v < best:
            best, state = v, copy.deepcopy(model.state_dict())
        if epoch % 3 == 0:
            print(f"epoch {epoch} train {total / 4500:.4f} val {v:.4f}")
    model.load_state_dict(state)
    with torch.no_grad():
        r2 = 1 - F.mse_loss(model(x[test]), y[test]) / y[test].var()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=30)
    ap.add_argument("--lr", type=float, default=4e-3)
    fit(ap.parse_args())
