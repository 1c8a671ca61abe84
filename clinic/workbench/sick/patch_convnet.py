"""Small CNN baseline for texture patches (four orientations and blobs)."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def textures(n, rng):
    yy, xx = np.mgrid[0:12, 0:12]
    labels = rng.integers(0, 5, n)
    out = np.empty((n, 1, 12, 12), dtype=np.float32)
    for i, c in enumerate(labels):
        if c < 4:
            ang = c * np.pi / 4 + rng.normal(0, 0.12)
            img = np.sin((xx * np.cos(ang) + yy * np.sin(ang)) * rng.uniform(1.2, 1.8) + rng.uniform(0, 6.28))
        else:
            img = np.sin(xx * 1.1 + rng.uniform(0, 6)) * np.sin(yy * 1.1 + rng.uniform(0, 6)) * 1.4
        out[i, 0] = img + rng.normal(0, 0.7, (12, 12))
    return torch.from_numpy(out), torch.from_numpy(labels)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 16, 3), nn.ReLU())
        self.classifier = nn.Linear(16 * 4, 5)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=0.8)
    ap.add_argument("--momentum", type=float, default=0.9)
    ap.add_argument("--epochs", type=int, default=6)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    x, y = textures(4000, rng)
    xv, yv = textures(1000, rng)
    net = ConvNet()
    opt = torch.optim.SGD(net.parameters(), lr=a.lr, momentum=a.momentum)
    for epoch in range(a.epochs):
        net.train()
        run = 0.0
        for idx in torch.randperm(4000).split(50):
            loss = F.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            run += loss.item()
        net.eval()
        with torch.no_grad():
            logits = net(xv)
            val = F.cross_entropy(logits, yv).item()
            acc = (logits.argmax(1) == yv).float().mean().item()
        print(f"epoch {epoch} train {run / 80:.4f} val {val:.4f} acc {acc:.3f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
