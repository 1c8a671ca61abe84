"""Defect detector on small patches; output biases follow the class prior as in the focal-loss paper."""
import argparse
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class PatchNet(nn.Module):
    def __init__(self, prior=0.3):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 9, 32)
        self.fc2 = nn.Linear(32, 1)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)
        self.fc2.bias.data.fill_(-math.log((1 - prior) / prior))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1)))).squeeze(1)


def patches(n, rng):
    x = rng.normal(0, 1, (n, 12, 12))
    y = (rng.random(n) < 0.35).astype(np.float32)
    for i in np.flatnonzero(y):
        r, c = rng.integers(0, 9, 2)
        x[i, r:r + 3, c:c + 3] += rng.choice([-1, 1]) * rng.uniform(1.5, 2.5)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.from_numpy(y)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--epochs", type=int, default=7)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    x, y = patches(6000, rng)
    xv, yv = patches(1500, rng)
    net = PatchNet()
    opt = torch.optim.Adam(net.parameters(), lr=a.lr)
    for epoch in range(a.epochs):
        tot = 0.0
        for idx in torch.randperm(len(x)).split(60):
            loss = F.binary_cross_entropy_with_logits(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item()
        with torch.no_grad():
            hit = ((net(xv) > 0).float() == yv).float().mean().item()
        print(f"epoch {epoch} bce {tot / 100:.4f} val acc {hit:.3f}")
    with torch.no_grad():
        p = net(xv) > 0
    recall = [(p[yv == k] == bool(k)).float().mean().item() for k in (0, 1)]
    print(f"balanced_accuracy {sum(recall) / 2:.4f}")


if __name__ == "__main__":
    main()
