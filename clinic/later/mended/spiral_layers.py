"""Homework 1: write your own Dense layer (do not use nn.Linear). Data: three spirals."""
import argparse
import math
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Dense(nn.Module):
    def __init__(self, n_in, n_out, activation=None):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out) / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.activation = activation

    def forward(self, x):
        z = x @ self.weight + self.bias
        return z if self.activation is None else self.activation(z)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Dense(2, 40, torch.tanh)
        self.second = Dense(40, 40, torch.tanh)
        self.last = Dense(40, 3)

    def forward(self, x):
        return self.last(self.second(self.first(x)))


def spirals(n, gen):
    k = torch.randint(0, 3, (n,), generator=gen)
    r = torch.rand(n, generator=gen) * 0.9 + 0.1
    phi = 4 * r + k * 2 * math.pi / 3 + 0.12 * torch.randn(n, generator=gen)
    return torch.stack([r * torch.cos(phi), r * torch.sin(phi)], 1) * 1.8, k


def accuracy(net, x, k):
    with torch.no_grad():
        return (net(x).argmax(1) == k).float().mean().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed)
    x, k = spirals(1500, gen)
    x_test, k_test = spirals(600, gen)
    net = Network()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    for epoch in range(30):
        total = 0.0
        for xb, kb in DataLoader(TensorDataset(x, k), batch_size=50, shuffle=True):
            loss = nn.functional.cross_entropy(net(xb), kb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(kb)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1} loss {total / len(x):.4f} test {accuracy(net, x_test, k_test):.3f}")
    print(f"accuracy {accuracy(net, x_test, k_test):.4f}")
