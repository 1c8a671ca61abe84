import argparse
import copy

import torch
from torch import nn


class EarlyStopping:
    def __init__(self, patience, min_delta):
        self.patience, self.min_delta = patience, min_delta
        self.best, self.bad, self.state = float("inf"), 0, None

    def update(self, value, model):
        if value < self.best - self.min_delta:
            self.best, self.bad, self.state = value, 0, copy.deepcopy(model.state_dict())
        else:
            self.bad += 1
        return self.bad >= self.patience


class WaveNet(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))

    def forward(self, x):
        return self.body(x).squeeze(-1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--patience", type=int, default=2)
    ap.add_argument("--min-delta", type=float, default=0.1)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x = torch.rand(3000, 2) * 4 - 2
    y = torch.sin(1.5 * x[:, 0]) + 0.8 * torch.cos(2.5 * x[:, 1] + x[:, 0]) + 0.05 * torch.randn(3000)
    y = (y - y.mean()) / y.std()
    xt, yt, xv, yv = x[:2400], y[:2400], x[2400:], y[2400:]
    model = WaveNet()
    opt = torch.optim.Adam(model.parameters(), lr=7e-4)
    stop = EarlyStopping(args.patience, args.min_delta)
    for epoch in range(50):
        for idx in torch.randperm(2400).split(64):
            loss = nn.functional.mse_loss(model(xt[idx]), yt[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            v = nn.functional.mse_loss(model(xv), yv).item()
        print(f"epoch {epoch} train {loss.item():.4f} val {v:.4f}")
        if stop.update(v, model):
            break
    model.load_state_dict(stop.state)
    with torch.no_grad():
        print(f"r2 {1 - nn.functional.mse_loss(model(xv), yv).item() / yv.var().item():.4f}")


if __name__ == "__main__":
    main()
