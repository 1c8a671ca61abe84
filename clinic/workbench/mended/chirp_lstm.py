"""Classify chirps (up, down, constant, warble) from noisy samples with an LSTM."""
import argparse

import numpy as np
import torch
import torch.nn as nn


class ChirpLSTM(nn.Module):
    def __init__(self, hidden=24, classes=4):
        super().__init__()
        self.lstm = nn.LSTM(4, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.fc(h[-1])


class Trainer:
    def __init__(self, model, lr, batch_size):
        self.model = model
        self.batch_size = batch_size
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def fit(self, x, y, epochs):
        for epoch in range(epochs):
            total, count = 0.0, 0
            for idx in torch.randperm(len(x)).split(self.batch_size):
                loss = self.criterion(self.model(x[idx]), y[idx])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item()
                count += 1
            print(f"epoch {epoch + 1}: {total / count:.4f}")

    def score(self, x, y):
        with torch.no_grad():
            return (self.model(x).argmax(-1) == y).double().mean().item()


def chirps(n, rng):
    t = np.linspace(0, 1, 64)
    y = rng.integers(0, 4, n)
    f0 = rng.uniform(5, 7, n)[:, None]
    slope = np.array([4.0, -4.0, 0.0, 0.0])[y][:, None]
    wob = np.array([0.0, 0.0, 0.0, 1.6])[y][:, None]
    phase = 2 * np.pi * (f0 * t + slope * t ** 2 / 2) + wob * np.sin(2 * np.pi * 3 * t) + rng.uniform(0, 6.28, (n, 1))
    s = np.sqrt(2) * np.sin(phase) + rng.normal(0, 0.1, (n, 64))
    return torch.tensor(s.reshape(n, 16, 4), dtype=torch.float32), torch.from_numpy(y)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.2)
    parser.add_argument("--batch-size", type=int, default=80)
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = chirps(3200, rng)
    trainer = Trainer(ChirpLSTM(), args.lr, args.batch_size)
    trainer.fit(x, y, args.epochs)
    print(f"accuracy {trainer.score(*chirps(800, rng)):.4f}")
