import argparse

import torch
import torch.nn.functional as F
from torch import nn


class AttentionPool(nn.Module):
    def __init__(self, dim, hidden=24):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.value = nn.Linear(dim, 16)

    def forward(self, x):
        w = torch.softmax(self.score(x), dim=1)
        return (w * self.value(x)).sum(1)


class BagClassifier(nn.Module):
    def __init__(self, dim, classes):
        super().__init__()
        self.pool = AttentionPool(dim)
        self.head = nn.Linear(16, classes)

    def forward(self, x):
        return self.head(self.pool(x))


def bags(n, items=12, classes=5, centers=None):
    kind = torch.randint(classes, (n, items))
    x = centers[kind] + 0.4 * torch.randn(n, items, centers.shape[1])
    key = torch.randint(items, (n,))
    flag = torch.zeros(n, items, 1)
    flag[torch.arange(n), key] = 1.0
    x = torch.cat([x, flag + 0.2 * torch.randn_like(flag)], 2)
    return x, kind[torch.arange(n), key]


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=700)
    p.add_argument("--lr", type=float, default=5e-3)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    centers = torch.randn(5, 8)
    xtr, ytr = bags(5000, centers=centers)
    xte, yte = bags(1000, centers=centers)
    model = BagClassifier(9, 5)
    opt = torch.optim.Adam(model.parameters(), lr=a.lr)
    for step in range(a.steps):
        idx = torch.randint(5000, (64,))
        loss = F.cross_entropy(model(xtr[idx]), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 70 == 0:
            with torch.no_grad():
                acc = (model(xte).argmax(1) == yte).float().mean()
            print(f"step {step} loss {loss.item():.4f} test {acc:.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(xte).argmax(1) == yte).float().mean().item():.4f}")
