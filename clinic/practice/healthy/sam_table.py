"""Sharpness-aware minimization (Foret et al. 2021) as an optimizer wrapper; the training labels of a two-dozen-feature table carry noise."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F


class SAM:
    def __init__(self, params, base, rho):
        self.params, self.base, self.rho = list(params), base, rho

    @torch.no_grad()
    def ascend(self):
        norm = torch.stack([p.grad.norm() for p in self.params]).norm() + 1e-12
        self.kick = [p.grad * (self.rho / norm) for p in self.params]
        for p, e in zip(self.params, self.kick):
            p.add_(e)
            p.grad = None

    @torch.no_grad()
    def descend(self):
        for p, e in zip(self.params, self.kick):
            p.sub_(e)
        self.base.step()
        self.base.zero_grad()


def table(n, g, w):
    x = torch.randn(n, 24, generator=g)
    s = x @ w + 0.8 * x[:, 0] * x[:, 1]
    y = (s > 0).long()
    flip = torch.rand(n, generator=g) < 0.2
    return x, torch.where(flip, 1 - y, y), y


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--rho", type=float, default=0.05)
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--lr", type=float, default=0.1)
    o = ap.parse_args()
    torch.manual_seed(o.seed)
    g = torch.Generator().manual_seed(o.seed)
    w = torch.randn(24, generator=g) / 24 ** 0.5
    x, y, _ = table(6000, g, w)
    xt, _, clean = table(2000, g, w)
    net = nn.Sequential(nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 2))
    base = torch.optim.SGD(net.parameters(), lr=o.lr, momentum=0.8)
    sam = SAM(net.parameters(), base, o.rho)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(base, o.epochs)
    for epoch in range(o.epochs):
        tot = 0.0
        for idx in torch.randperm(len(y)).split(100):
            loss = F.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            sam.ascend()
            F.cross_entropy(net(x[idx]), y[idx]).backward()
            sam.descend()
            tot += loss.item() * len(idx) / len(y)
        sched.step()
        print(f"epoch {epoch} loss {tot:.4f}")
    with torch.no_grad():
        print(f"clean_accuracy {(net(xt).argmax(1) == clean).float().mean().item():.4f}")


main()
