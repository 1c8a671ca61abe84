"""Transfer: backbone trained on coarse textures, then frozen (batch norm included); a new head for finer classes."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def textures(n, rng, kinds):
    y = rng.integers(0, kinds, n)
    yy, xx = np.mgrid[:16, :16]
    ang = (np.pi * y / kinds)[:, None, None] + rng.normal(0, 0.09, (n, 1, 1))
    ph = rng.uniform(0, 6.28, (n, 1, 1))
    x = np.sin(1.1 * (np.cos(ang) * xx + np.sin(ang) * yy) + ph) + 0.5 * rng.normal(size=(n, 16, 16))
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.from_numpy(y)


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.BatchNorm2d(12), nn.ReLU(),
                                 nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.BatchNorm2d(24), nn.ReLU())

    def forward(self, x):
        h = self.net(x)
        return torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)


class Classifier(nn.Module):
    def __init__(self, backbone, classes):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(48, classes)

    def forward(self, x):
        return self.head(self.backbone(x))


def fit(model, x, y, epochs, lr, frozen=False):
    params = [p for p in model.parameters() if p.requires_grad]
    opt = torch.optim.Adam(params, lr=lr)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, lr, total_steps=epochs * (len(x) // 50))
    for e in range(epochs):
        model.train()
        if frozen:
            model.backbone.eval()
        tot = []
        for b in torch.randperm(len(x)).split(50):
            loss = F.cross_entropy(model(x[b]), y[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            tot.append(loss.item())
        print(f"{'head' if frozen else 'all '} epoch {e:2d} loss {np.mean(tot):.4f}")


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    xa, ya = textures(2000, rng, 8)
    xb, yb = textures(2500, rng, 5)
    backbone = Backbone()
    fit(Classifier(backbone, 8), xa, ya, 5, 6e-3)
    for q in backbone.parameters():
        q.requires_grad_(False)
    model = Classifier(backbone, 5)
    fit(model, xb[:2000], yb[:2000], 12, 3e-2, frozen=True)
    print(f"accuracy {accuracy(model, xb[2000:], yb[2000:]):.4f}")
