import argparse

import numpy as np
import torch
from torch import nn


def curve(seed, n=240):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-3, 3, size=(n, 1))
    y = 4 * x ** 3 - 10 * x + rng.normal(0, 2, size=(n, 1))
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


class Curve(nn.Module):
    def __init__(self, sizes=(1, 48, 32, 1)):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


def r2(model, x, y):
    with torch.no_grad():
        return (1 - ((model(x) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum()).item()


def main():
    parser = argparse.ArgumentParser(description="fit a cubic")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = curve(args.seed)
    x_train, y_train, x_val, y_val = x[:200], y[:200], x[200:], y[200:]
    model = Curve()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0005)
    for epoch in range(400):
        order = torch.randperm(200)
        for i in range(0, 200, 40):
            pick = order[i:i + 40]
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x_train[pick]), y_train[pick])
            loss.backward()
            optimizer.step()
        if epoch % 80 == 0:
            print(f"epoch {epoch} mse {loss.item():.2f} val R2 {r2(model, x_val, y_val):.3f}")
    print(f"R2 {r2(model, x_val, y_val):.3f}")


main()
