import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.out(h[:, -1])


def make_series(n, rng):
    t = np.arange(n)
    return np.sin(t / 6.0) + 0.5 * np.sin(t / 17.0 + 1.0) + 0.08 * rng.normal(size=n)


def windows(series, length=20):
    x = np.stack([series[i:i + length] for i in range(len(series) - length)])
    y = series[length:]
    return torch.tensor(x, dtype=torch.float32).unsqueeze(-1), torch.tensor(y, dtype=torch.float32).unsqueeze(-1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)

    series = make_series(1400, rng)
    x, y = windows(series)
    split = 1000
    train = DataLoader(TensorDataset(x[:split], y[:split]), batch_size=50, shuffle=True)

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    criterion = nn.MSELoss()

    for epoch in range(15):
        model.train()
        running = 0.0
        for xb, yb in train:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * len(xb)
        print(f"epoch {epoch + 1:2d} mse {running / split:.4f}")

    model.eval()
    with torch.no_grad():
        pred = model(x[split:])
    resid = ((pred - y[split:]) ** 2).sum()
    total = ((y[split:] - y[split:].mean()) ** 2).sum()
    print("r2", f"{float(1 - resid / total):.4f}")


if __name__ == "__main__":
    main()
