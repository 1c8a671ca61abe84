import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def simulate(days, rng):
    rows, target = [], []
    clouds = 0.5
    for d in range(days):
        season = 0.6 + 0.4 * np.sin(2 * np.pi * d / 365)
        for h in range(0, 24, 3):
            clouds = np.clip(0.8 * clouds + 0.2 * rng.random() + 0.1 * rng.normal(), 0, 1)
            sun = max(0.0, np.sin(np.pi * (h - 5) / 14)) * season
            rows.append([sun, clouds, 10 + 15 * season + rng.normal(), np.sin(h / 12 * np.pi), np.cos(h / 12 * np.pi)])
            target.append(sun * (1 - 0.75 * clouds) * 400 + rng.normal() * 4)
    return np.array(rows, np.float32), np.array(target, np.float32)


class YieldModel(nn.Module):
    def __init__(self, n_features, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(n_features, hidden, batch_first=True)
        self.head = nn.Sequential(nn.Linear(hidden, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        seq, _ = self.lstm(x)
        return self.head(seq[:, -1])


def main(args):
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    rows, target = simulate(300, rng)
    rows = (rows - rows.mean(0)) / rows.std(0)
    target = (target - target.mean()) / target.std()
    x = torch.from_numpy(np.stack([rows[i - 8:i] for i in range(8, len(rows))]))
    y = torch.from_numpy(target[7:-1]).unsqueeze(1)
    cut = 1900
    dl = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size=48, shuffle=True, drop_last=True)
    model = YieldModel(x.shape[-1])
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        model.train()
        s = 0
        for xb, yb in dl:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(xb), yb)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            opt.step()
            s += loss.item()
        model.eval()
        with torch.no_grad():
            v = nn.functional.mse_loss(model(x[cut:]), y[cut:]).item()
        print(f"epoch {epoch:2d} train {s / len(dl):.4f} val {v:.4f}")
    return 1 - v / y[cut:].var().item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=14)
    ap.add_argument("--lr", type=float, default=4e-3)
    print(f"r2 {main(ap.parse_args()):.4f}")
