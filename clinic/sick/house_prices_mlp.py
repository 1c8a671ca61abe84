import argparse

import numpy as np
import torch
from torch import nn


def make_houses(n, rng):
    area = rng.normal(120, 35, n).clip(30, 300)
    rooms = (area / 28 + rng.normal(0, 0.8, n)).round().clip(1, 10)
    age = rng.uniform(0, 80, n)
    distance = rng.exponential(6, n)
    price = 2400 * area + 9000 * rooms - 1500 * age + 60000 * np.exp(-distance / 5) + rng.normal(0, 15000, n)
    return np.stack([area, rooms, age, distance], 1), price


class PriceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(x)[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    X, y = make_houses(1500, np.random.default_rng(42))
    X = (X - X.mean(0)) / X.std(0)
    X, y = torch.tensor(X).float(), torch.tensor(y).float()
    X_train, y_train, X_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]

    net = PriceNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=12, gamma=0.3)
    for epoch in range(36):
        net.train()
        order = torch.randperm(1200)
        for i in range(0, 1200, 40):
            batch = order[i : i + 40]
            loss = nn.functional.mse_loss(net(X_train[batch]), y_train[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 6 == 0:
            print(f"epoch {epoch:3d} mse {loss.item():.5g}")
    net.eval()
    with torch.no_grad():
        r2 = 1 - ((net(X_test) - y_test) ** 2).mean() / ((y_test - y_test.mean()) ** 2).mean()
    print("R2", r2.item())


if __name__ == "__main__":
    main()
