import argparse

import numpy as np
import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1]).squeeze(-1)


class Scaler:
    def fit(self, v):
        self.mean, self.std = v.mean(), v.std()
        return self

    def transform(self, v):
        return (v - self.mean) / self.std

    def inverse(self, v):
        return v * self.std + self.mean


def load_curve(rng, n=1500):
    t = np.arange(n)
    return 420 + 90 * np.sin(2 * np.pi * t / 24) + 35 * np.sin(2 * np.pi * t / 168) + 12 * rng.normal(size=n)


def windows(series, length=24):
    x = np.stack([series[i:i + length] for i in range(len(series) - length)])
    return torch.tensor(x[..., None], dtype=torch.float32), torch.tensor(series[length:], dtype=torch.float32)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=20)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    series = load_curve(np.random.default_rng(args.seed))
    scaler = Scaler().fit(series[:1100])
    xtr, ytr = windows(scaler.transform(series[:1100]))
    xte, yte = windows(series[1100:])
    model = Forecaster()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)

    def score():
        model.eval()
        with torch.no_grad():
            pred = scaler.inverse(model(xte))
        return 1 - ((pred - yte) ** 2).mean().item() / yte.var().item()

    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(ytr)).split(64):
            loss = nn.functional.mse_loss(model(xtr[idx]), ytr[idx])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch} train {total / len(ytr):.4f} test r2 {score():.3f}")
    print(f"r2 {score():.4f}")


if __name__ == "__main__":
    main()
