"""Material from a noisy spectrum; MLP with dropout, accuracy is logged through training."""
import argparse

import numpy as np
import torch
import torch.nn as nn


class SpectrumNet(nn.Module):
    def __init__(self, bands=40, classes=8, p=0.5):
        super().__init__()
        self.fc1 = nn.Linear(bands, 64)
        self.fc2 = nn.Linear(64, 32)
        self.fc3 = nn.Linear(32, classes)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        x = self.drop(torch.relu(self.fc1(x)))
        x = self.drop(torch.relu(self.fc2(x)))
        return self.fc3(x)


def spectra(n, rng):
    peaks = np.random.default_rng(2).uniform(4, 36, (8, 3))
    y = rng.integers(0, 8, n)
    axis = np.arange(40)
    x = np.exp(-(axis[None, None] - peaks[y][:, :, None] - rng.normal(0, 0.6, (n, 3, 1))) ** 2 / 6).sum(1)
    x = (x + rng.normal(0, 0.45, (n, 40)) - 0.3) / 0.6
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


def evaluate(model, x, y, batch=200):
    model.eval()
    hits = 0
    with torch.no_grad():
        for xb, yb in zip(x.split(batch), y.split(batch)):
            hits += (model(xb).argmax(1) == yb).sum().item()
    return hits / len(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=10)
    ap.add_argument("--dropout", type=float, default=0.5)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = spectra(4000, rng)
    xv, yv = spectra(1000, rng)
    model = SpectrumNet(p=args.dropout)
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(50):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / 80:.4f} val {evaluate(model, xv, yv):.3f}")
    print(f"accuracy {evaluate(model, xv, yv):.4f}")


if __name__ == "__main__":
    main()
