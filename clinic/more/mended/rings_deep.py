import argparse

import torch
import torch.nn as nn
from sklearn.datasets import make_circles
from torch.utils.data import DataLoader, TensorDataset

DEPTH = 7
WIDTH = 12


class Rings(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [2] + [WIDTH] * DEPTH
        self.hidden = nn.ModuleList([nn.Linear(i, o) for i, o in zip(sizes, sizes[1:])])
        self.output = nn.Linear(WIDTH, 1)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.output(x).squeeze(1)


def accuracy(net, x, y):
    with torch.no_grad():
        return ((net(x) > 0).float() == y).float().mean().item()


def main(seed):
    torch.manual_seed(seed)
    x, y = make_circles(1000, noise=0.08, factor=0.5, random_state=seed)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    loader = DataLoader(TensorDataset(x[:750], y[:750]), batch_size=75, shuffle=True)
    net = Rings()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(60):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(epoch, round(loss.item(), 4), accuracy(net, x[750:], y[750:]))
    return accuracy(net, x[750:], y[750:])


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
print(f"accuracy {main(parser.parse_args().seed):.3f}")
