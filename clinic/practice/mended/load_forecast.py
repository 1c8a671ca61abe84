"""Next-hour load from the last day of hourly readings (GRU over windows)."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def hourly_load(hours, seed):
    g = np.random.default_rng(seed + 5)
    t = np.arange(hours)
    day = np.sin(2 * np.pi * t / 24) + 0.4 * np.sin(4 * np.pi * t / 24 + 1)
    week = 0.5 * ((t // 24) % 7 >= 5)
    ar = np.zeros(hours)
    for i in range(1, hours):
        ar[i] = 0.85 * ar[i - 1] + g.normal(0, 0.25)
    return 52 + 9 * day - 6 * week + 5 * ar + g.normal(0, 0.6, hours)


class Windows(Dataset):
    def __init__(self, series, length=24):
        self.series = torch.tensor(series, dtype=torch.float32)
        self.length = length

    def __len__(self):
        return len(self.series) - self.length

    def __getitem__(self, i):
        w = self.series[i:i + self.length]
        return w.unsqueeze(-1), self.series[i + self.length]


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1])


def run_epoch(model, loader, opt=None, clip=1.0):
    model.train(opt is not None)
    se, n = 0.0, 0
    for x, y in loader:
        with torch.set_grad_enabled(opt is not None):
            pred = model(x)
            loss = ((pred - y.unsqueeze(1)) ** 2).mean()
        if opt is not None:
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            opt.step()
        se += loss.item() * len(y)
        n += len(y)
    return se / n


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    series = hourly_load(3800, seed)
    cut = 3000
    mu, sd = series[:cut].mean(), series[:cut].std()
    series = (series - mu) / sd
    train = DataLoader(Windows(series[:cut]), batch_size=64, shuffle=True)
    valid = DataLoader(Windows(series[cut - 24:]), batch_size=256)

    model = Forecaster()
    opt = torch.optim.Adam(model.parameters(), lr=6e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=7)
    for epoch in range(7):
        a = run_epoch(model, train, opt)
        b = run_epoch(model, valid)
        sched.step()
        print(f"epoch {epoch}: train {a:.4f} valid {b:.4f} lr {sched.get_last_lr()[0]:.2g}")

    model.eval()
    with torch.no_grad():
        p = torch.cat([model(x) for x, _ in valid]).squeeze(1).numpy()
    y = np.array([v.item() for _, v in valid.dataset])
    print(f"r2 {1 - ((p - y) ** 2).mean() / y.var():.4f}")


if __name__ == "__main__":
    main()
