import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def layer(n_in, n_out):
    linear = nn.Linear(n_in, n_out)
    nn.init.uniform_(linear.weight, -0.05, 0.05)
    nn.init.zeros_(linear.bias)
    return linear


class Stack(nn.Module):
    def __init__(self, depth=10, width=40):
        super().__init__()
        self.entry = layer(64, width)
        self.middle = nn.ModuleList(layer(width, width) for _ in range(depth))
        self.exit = layer(width, 10)

    def forward(self, x):
        x = F.relu(self.entry(x))
        for linear in self.middle:
            x = F.relu(linear(x))
        return self.exit(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    order = torch.randperm(len(digits.target))
    x = torch.tensor(digits.data, dtype=torch.float32)[order]
    x = (x - x.mean()) / x.std()
    y = torch.tensor(digits.target)[order]
    net = Stack()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(20):
        for idx in torch.randperm(1400).split(50):
            loss = F.cross_entropy(net(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(x[1400:]).argmax(1) == y[1400:]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
