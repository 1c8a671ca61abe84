"""Batch-normalized classifier on wide-scale tabular features (ported from a Keras notebook)."""
import argparse
import torch
import torch.nn as nn


class Dense(nn.Sequential):
    def __init__(self, i, o, bn_momentum):
        super().__init__(nn.Linear(i, o), nn.BatchNorm1d(o, momentum=bn_momentum), nn.ReLU())


class Model(nn.Module):
    def __init__(self, d, classes, bn_momentum=0.1):
        super().__init__()
        self.inp = nn.BatchNorm1d(d, momentum=bn_momentum)
        self.body = nn.Sequential(Dense(d, 64, bn_momentum), Dense(64, 64, bn_momentum))
        self.out = nn.Linear(64, classes)

    def forward(self, x):
        return self.out(self.body(self.inp(x)))


def mixture(n, d=12, k=4, generator=None):
    centres = torch.randn(k, d, generator=torch.Generator().manual_seed(7)) * 1.5
    y = torch.randint(k, (n,), generator=generator)
    x = centres[y] + torch.randn(n, d, generator=generator)
    return x * torch.linspace(0.5, 20.0, d) + torch.linspace(-30, 60, d), y


def main(seed, epochs=16):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(seed)
    (x, y), (xt, yt) = mixture(1600, generator=g), mixture(800, generator=g)
    net = Model(12, 4, bn_momentum=0.1)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for e in range(epochs):
        net.train()
        for i in torch.randperm(len(x)).split(80):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x[i]), y[i])
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            out = net(xt)
            val = nn.functional.cross_entropy(out, yt).item()
            acc = (out.argmax(1) == yt).float().mean().item()
        print(f"epoch {e} train {loss.item():.3f} val {val:.3f} acc {acc:.3f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
