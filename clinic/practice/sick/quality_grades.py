"""Ordinal quality grades (A..E) of castings from process readings, cumulative logits."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

GRADES = 5


def castings(n, rng):
    x = rng.normal(size=(n, 10))
    x[:, 3] = np.exp(0.5 * x[:, 3])
    q = (np.sin(2.0 * x[:, 0]) + x[:, 1] * x[:, 2] + 0.8 * np.abs(x[:, 4]) - 0.6 * x[:, 5] * (x[:, 6] > 0)
         + 0.5 * x[:, 3] + 0.3 * rng.normal(size=n))
    return x, q


class OrdinalNet(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        self.cuts = nn.Parameter(torch.linspace(-1.5, 1.5, GRADES - 1))

    def forward(self, x):
        return self.body(x) - self.cuts


def ordinal_loss(logits, grade):
    level = (grade[:, None] > torch.arange(GRADES - 1)).float()
    return F.binary_cross_entropy_with_logits(logits, level)


def grade_of(logits):
    return (logits > 0).sum(1)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        out = model(x)
        return ordinal_loss(out, y).item(), (grade_of(out) == y).float().mean().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed + 77)
    x, q = castings(11000, rng)
    cut = 9000
    edges = np.quantile(q[:cut], [0.2, 0.4, 0.6, 0.8])
    y = torch.from_numpy(np.digitize(q, edges))
    x = torch.tensor(StandardScaler().fit(x[:cut]).transform(x), dtype=torch.float32)
    loader = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size=128, shuffle=True, drop_last=True)

    model = OrdinalNet(x.shape[1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.1, patience=2)
    for epoch in range(24):
        model.train()
        total = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = ordinal_loss(model(xb), yb)
            loss.backward()
            optimizer.step()
            total += loss.item()
        val_loss, val_acc = evaluate(model, x[cut:], y[cut:])
        scheduler.step(val_loss)
        print(f"epoch {epoch:2d} train {total / len(loader):.4f} val {val_loss:.4f} acc {val_acc:.4f}")
    print(f"accuracy {val_acc:.4f}")


if __name__ == "__main__":
    main()
