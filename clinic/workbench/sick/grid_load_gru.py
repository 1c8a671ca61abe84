"""One-hour-ahead forecast of grid load with a GRU."""
import argparse
import math

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def make_series(hours, rng):
    t = np.arange(hours)
    day = np.sin(2 * math.pi * t / 24) + 0.4 * np.sin(4 * math.pi * t / 24 + 0.8)
    week = np.where((t // 24) % 7 >= 5, -0.6, 0.2)
    ar = np.zeros(hours)
    for i in range(1, hours):
        ar[i] = 0.9 * ar[i - 1] + rng.normal(0, 0.12)
    return 31000 + 5200 * (day + week + ar)


class LoadGRU(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.head(out[:, -1]).squeeze(-1)


def main(args):
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    load = make_series(2600, rng)
    z = (load - load[:2000].mean()) / load[:2000].std()
    w = args.window
    X = np.stack([z[i:i + w] for i in range(len(z) - w)])[..., None]
    y = load[w:]
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor(y, dtype=torch.float32)
    cut = 2000 - w
    train = DataLoader(TensorDataset(X[:cut], y[:cut]), batch_size=args.batch_size, shuffle=True)

    model = LoadGRU(args.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    criterion = nn.MSELoss()
    for epoch in range(args.epochs):
        running = 0.0
        for xb, yb in train:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item()
        print(f"[{epoch + 1}/{args.epochs}] mse {running / len(train):.5g}")

    model.eval()
    with torch.no_grad():
        pred, true = model(X[cut:]), y[cut:]
    r2 = 1 - ((pred - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--window", type=int, default=24)
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--epochs", type=int, default=6)
    main(parser.parse_args())
