"""Predict the change of the air pressure over the next six hours from the last day."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Barometer(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        _, h = self.rnn(x)
        return self.out(h[-1]).squeeze(-1)


def pressure(hours, rng):
    t = np.arange(hours)
    fronts = sum(rng.uniform(2, 5) * np.sin(2 * np.pi * t / p + rng.uniform(0, 6)) for p in (37, 61, 90, 140))
    return (1013 + fronts + rng.normal(0, 0.15, hours)).astype(np.float32)


def windows(series, length=24, ahead=6):
    xs, ys = [], []
    for i in range(0, len(series) - length - ahead, 2):
        xs.append(series[i:i + length])
        ys.append(series[i + length + ahead - 1] - series[i + length - 1])
    xs = torch.tensor(np.stack(xs)).unsqueeze(-1)
    return xs, torch.tensor(np.array(ys)) / 4


def main(seed):
    torch.manual_seed(seed)
    series = pressure(4000, np.random.default_rng(seed))
    x, y = windows(series)
    cut = int(0.8 * len(x))
    loader = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size=64, shuffle=True)
    net = Barometer()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(16):
        total = 0
        for xb, yb in loader:
            loss = nn.functional.mse_loss(net(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        with torch.no_grad():
            val = nn.functional.mse_loss(net(x[cut:]), y[cut:]).item()
        print(f"{epoch} train {total / len(loader):.4f} val {val:.4f}")
    r2 = 1 - val / y[cut:].var(unbiased=False).item()
    print(f"r2 {r2:.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args().seed)
