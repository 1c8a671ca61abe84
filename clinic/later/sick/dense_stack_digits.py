import argparse
import math

import torch
from sklearn.datasets import load_digits
from torch import nn


class Dense(nn.Module):
    def __init__(self, fan_in, fan_out, act=None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))
        self.act = act

    def forward(self, x):
        z = x @ self.weight + self.bias
        return self.act(z) if self.act else z


class Stack(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        last = len(sizes) - 2
        self.layers = nn.ModuleList([
            Dense(a, b, None if k == last else torch.tanh) for k, (a, b) in enumerate(zip(sizes, sizes[1:]))
        ])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--lr", type=float, default=0.03)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32), torch.tensor(y)
    order = torch.randperm(len(y))
    train, test = order[:1300], order[1300:]
    model = Stack([64, 96, 96, 96, 10])
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    for epoch in range(args.epochs):
        running = 0.0
        for idx in train[torch.randperm(1300)].split(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            optimizer.step()
            running += loss.item() * len(idx)
        scheduler.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {running / 1300:.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(x[test]).argmax(1) == y[test]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
