"""Detecting arc faults in current traces with a 1-d CNN."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--rate", type=float, default=0.015, help="share of traces with an arc")
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=6)
parser.add_argument("--lr", type=float, default=1e-3)
args = parser.parse_args()

torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)


def traces(n, rate):
    t = np.arange(64)
    x = np.sin(2 * np.pi * t / 16 + rng.uniform(0, 6.28, (n, 1))) + rng.normal(0, 0.5, (n, 64))
    y = (rng.random(n) < rate).astype(np.int64)
    for i in np.flatnonzero(y):
        s = rng.integers(0, 50)
        x[i, s:s + 10] += rng.uniform(0.75, 1.15) * np.array([1, -1] * 5)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.from_numpy(y)


class ArcNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv1d(1, 12, 7, padding=3)
        self.c2 = nn.Conv1d(12, 16, 5, padding=2)
        self.out = nn.Linear(16, 2)

    def forward(self, x):
        h = F.max_pool1d(F.relu(self.c1(x)), 2)
        h = F.relu(self.c2(h)).amax(-1)
        return self.out(h)


def balanced_accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        pred = model(x).argmax(1)
    return np.mean([(pred[y == k] == k).float().mean().item() for k in (0, 1)])


x_train, y_train = traces(6400, args.rate)
x_test, y_test = traces(2000, 0.25)
weights = torch.where(y_train == 1, 0.5 / args.rate, 0.5 / (1 - args.rate))
sampler = WeightedRandomSampler(weights.tolist(), len(weights))
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=args.batch_size, sampler=sampler)

model = ArcNet()
opt = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(args.epochs):
    model.train()
    losses = []
    for xb, yb in loader:
        loss = F.cross_entropy(model(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"epoch {epoch} loss {np.mean(losses):.4f}")

print(f"balanced_accuracy {balanced_accuracy(model, x_test, y_test):.4f}")
