"""Tiny transformer: which of the marker tokens is repeated in the sequence?"""
import argparse
import math

import torch
import torch.nn as nn

MARKERS, FILLER, LENGTH = 24, 8, 12


def batch_of(n, gen):
    x = torch.randint(MARKERS, MARKERS + FILLER, (n, LENGTH), generator=gen)
    y = torch.randint(0, MARKERS, (n,), generator=gen)
    other = torch.randint(0, MARKERS, (n, 3), generator=gen)
    place = torch.rand(n, LENGTH, generator=gen).argsort(1)
    rows = torch.arange(n)
    for k in range(3):
        x[rows, place[:, k + 2]] = other[:, k]
    x[rows, place[:, 0]] = y
    x[rows, place[:, 1]] = y
    return x, y


class Classifier(nn.Module):
    def __init__(self, d=32, heads=4):
        super().__init__()
        self.token = nn.Embedding(MARKERS + FILLER, d)
        self.place = nn.Parameter(torch.randn(LENGTH, d) * 0.02)
        self.block = nn.TransformerEncoderLayer(d, heads, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(d)
        self.head = nn.Linear(d, MARKERS)

    def forward(self, x):
        h = self.block(self.token(x) + self.place)
        return self.head(self.norm(h.mean(1)))


def main(a):
    torch.manual_seed(a.seed)
    gen = torch.Generator().manual_seed(a.seed + 1000)
    xt, yt = batch_of(1000, gen)
    model = Classifier()
    opt = torch.optim.SGD(model.parameters(), lr=a.lr, momentum=0.9)
    sched = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min(1.0, (s + 1) / 50) * 0.5 * (1 + math.cos(math.pi * s / a.steps)))
    for step in range(a.steps):
        x, y = batch_of(a.batch, gen)
        loss = nn.functional.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if (step + 1) % 100 == 0:
            model.eval()
            with torch.no_grad():
                acc = (model(xt).argmax(1) == yt).float().mean().item()
            model.train()
            print(f"step {step + 1} loss {loss.item():.4f} held-out {acc:.3f}")
    model.eval()
    with torch.no_grad():
        print(f"accuracy {(model(xt).argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=500)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=0.05)
    main(p.parse_args())
