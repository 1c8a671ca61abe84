"""Rare-event classifier on simulated transactions; recall and specificity count equally."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import balanced_accuracy_score
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


def transactions(n, rng, rate=0.02):
    y = (rng.random(n) < rate).astype(np.int64)
    x = rng.standard_normal((n, 10)) + 0.75 * y[:, None] * np.array([1, -1, 1, 0, 0, 1, 0, -1, 0, 1])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))

    def forward(self, x):
        return self.f(x)


def train_loader(x, y, batch):
    weights = 1.0 / torch.bincount(y)[y].float()
    sampler = WeightedRandomSampler(weights, len(y))
    return DataLoader(TensorDataset(x, y), batch, sampler=sampler)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=5)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    (x, y), (xt, yt) = transactions(8000, rng), transactions(8000, rng)
    loader, net = train_loader(x, y, 64), Net()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    crit = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = crit(net(xb), yb)
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            pred = net(xt).argmax(1)
        print(f"epoch {epoch} loss {loss.item():.4f} accuracy {(pred == yt).float().mean().item():.4f}")
    print(f"balanced_accuracy {balanced_accuracy_score(yt, pred):.4f}")


main()
