"""Reads digits in plain and in inverted light, with features that do not tell which light it was."""

import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.strength * grad, None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(22))
    x, y = x[order], y[order]
    dim = 0.6 * x[:1400] + 0.3 + 0.3 * torch.randn(1400, 64)
    body = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
    reader, guesser = nn.Linear(64, 10), nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 2))
    modules = nn.ModuleList([body, reader, guesser])
    optimizer = torch.optim.SGD(modules.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 15)
    for epoch in range(15):
        for rows in torch.randperm(1400).split(50):
            h = body(torch.cat([x[rows], dim[rows]]))
            light = torch.cat([torch.zeros(len(rows)), torch.ones(len(rows))]).long()
            loss = F.cross_entropy(reader(h[: len(rows)]), y[rows]) + F.cross_entropy(
                guesser(Reverse.apply(h, 0.2)), light
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("accuracy", (reader(body(x[1400:])).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
