"""Forecasts the next value of a sum of two waves."""

import argparse
import math

import torch
from torch import nn


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, window):
        out, _ = self.lstm(window.unsqueeze(-1))
        return self.head(out[:, -1])


def series(n, generator):
    t = torch.arange(n) * 0.2
    clean = torch.sin(t) + 0.5 * torch.sin(2.3 * t + 1)
    return clean + 0.05 * torch.randn(n, generator=generator)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    values = series(1424, torch.Generator().manual_seed(3))
    windows = values.unfold(0, 25, 1)
    x, y = windows[:, :24], windows[:, 24]
    x_train, y_train, x_test, y_test = x[:1100], y[:1100], x[1100:], y[1100:]

    model = Forecaster()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8)
    for epoch in range(8):
        losses = []
        for rows in torch.randperm(len(x_train)).split(50):
            optimizer.zero_grad()
            loss = criterion(model(x_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        print(f"epoch {epoch}: {math.sqrt(sum(losses) / len(losses)):.4f}")
    with torch.no_grad():
        error = (model(x_test).flatten() - y_test.flatten()).pow(2).mean()
    print(f"R2 {1 - error.item() / y_test.var().item():.4f}")


if __name__ == "__main__":
    main()
