import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
from sklearn.metrics import balanced_accuracy_score
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


@dataclass
class Settings:
    n: int = 4000
    length: int = 48
    batch: int = 64
    epochs: int = 7
    lr: float = 2e-3


def curves(n, length):
    y = (torch.rand(n) < 1 / 30).float()
    x = 0.5 * torch.randn(n, length).cumsum(1) / 4 + 0.4 * torch.randn(n, length)
    t = torch.arange(length).float()
    start = torch.rand(n, 1) * (length - 16) + 4
    flash = torch.exp(-(t - start) / 4) * (t >= start)
    return x + 2.5 * y[:, None] * flash, y


def run(seed, s=Settings()):
    torch.manual_seed(seed)
    x, y = curves(s.n, s.length)
    x_test, y_test = curves(3000, s.length)
    weights = torch.where(y == 1, 1 / y.sum(), 1 / (1 - y).sum())
    loader = DataLoader(TensorDataset(x, y), batch_size=s.batch, sampler=WeightedRandomSampler(weights, s.n))
    net = nn.Sequential(nn.Unflatten(1, (1, s.length)), nn.Conv1d(1, 12, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(12, 16, 5), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0))
    opt = torch.optim.Adam(net.parameters(), lr=s.lr)
    for epoch in range(s.epochs):
        total = 0.0
        for a, b in loader:
            loss = nn.functional.binary_cross_entropy_with_logits(net(a), b)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() / len(loader)
        print(f"epoch {epoch} loss {total:.4f}")
    with torch.no_grad():
        pred = (net(x_test) > 0).int()
    return balanced_accuracy_score(y_test.int().numpy(), pred.numpy())


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print("balanced_accuracy", round(float(run(ap.parse_args().seed)), 4))
