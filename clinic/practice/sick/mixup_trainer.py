"""mixup (Zhang et al. 2018) on digits, with a Trainer class."""
import argparse
import copy

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


def build(width):
    return nn.Sequential(nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(),
                         nn.Flatten(), nn.Linear(256, width), nn.ReLU(), nn.Linear(width, 10))


class Trainer:
    def __init__(self, model, optimizer, alpha):
        self.model = copy.deepcopy(model)
        self.initial = copy.deepcopy(model.state_dict())
        self.optimizer = optimizer
        self.alpha = alpha

    def mixup(self, x, y):
        lam = np.random.beta(self.alpha, self.alpha)
        j = torch.randperm(len(x))
        return lam * x + (1 - lam) * x[j], y, y[j], lam

    def epoch(self, loader):
        self.model.train()
        seen = []
        for x, y in loader:
            x, ya, yb, lam = self.mixup(x, y)
            out = self.model(x)
            loss = lam * F.cross_entropy(out, ya) + (1 - lam) * F.cross_entropy(out, yb)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            seen.append(loss.item())
        return float(np.mean(seen))

    def test(self, loader):
        self.model.eval()
        with torch.no_grad():
            hits = sum((self.model(x).argmax(1) == y).sum().item() for x, y in loader)
        return hits / len(loader.dataset)

    def distance(self):
        now = self.model.state_dict()
        return sum((now[k] - v).norm().item() for k, v in self.initial.items())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=12)
    ap.add_argument("--alpha", type=float, default=0.3)
    ap.add_argument("--lr", type=float, default=2e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    np.random.seed(a.seed)
    d = load_digits()
    data = TensorDataset(torch.tensor(d.data / 8.0 - 0.6, dtype=torch.float32), torch.tensor(d.target))
    train, test = random_split(data, [1397, 400])
    model = build(32)
    trainer = Trainer(model, torch.optim.Adam(model.parameters(), lr=a.lr), a.alpha)
    for e in range(a.epochs):
        loss = trainer.epoch(DataLoader(train, 64, shuffle=True))
        print(f"epoch {e:2d} mixup loss {loss:.4f} moved {trainer.distance():.3f}")
    print(f"accuracy {trainer.test(DataLoader(test, 200)):.4f}")


if __name__ == "__main__":
    main()
