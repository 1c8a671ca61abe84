import argparse
import logging
import sys

import torch
from torch import nn

logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")


class Experts(nn.Module):
    def __init__(self, n_in, experts=3, width=24):
        super().__init__()
        self.gate = nn.Linear(n_in, experts)
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(n_in, width), nn.Tanh(), nn.Linear(width, width)) for _ in range(experts))
        self.out = nn.Linear(width, 1)

    def forward(self, x):
        g = torch.softmax(self.gate(x), dim=1)
        h = torch.stack([e(x) for e in self.experts], 1)
        return self.out(torch.tanh((g.unsqueeze(2) * h).sum(1)))


def parcels(n):
    x = torch.randn(n, 6)
    a, b, c = x[:, 0] + x[:, 1], 1.5 - x[:, 2] * x[:, 3], torch.sin(2 * x[:, 4]) - 1.0
    y = torch.where(x[:, 5] > 0.5, a, torch.where(x[:, 5] < -0.5, b, c)) + 0.1 * torch.randn(n)
    return x, y[:, None]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = parcels(6000)
    y = (y - y.mean()) / y.std()
    model = Experts(6)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(20):
        total = 0.0
        opt.zero_grad()
        for k, idx in enumerate(torch.randperm(5000).split(25), 1):
            loss = nn.functional.mse_loss(model(x[idx]), y[idx])
            (loss / args.parts).backward()
            if k % args.parts == 0:
                opt.step()
                opt.zero_grad()
            total += loss.item() / 200
        if epoch % 2 == 1:
            logging.info("epoch %d loss %.4f", epoch, total)
    with torch.no_grad():
        mse = nn.functional.mse_loss(model(x[5000:]), y[5000:])
    print("r2", (1 - mse / y[5000:].var()).item())


if __name__ == "__main__":
    main()
