"""Guesses the village of every person from who knows whom."""

import argparse

import torch
from torch import nn


class GraphNet(nn.Module):
    def __init__(self, n_in, hidden, classes):
        super().__init__()
        self.first, self.second = nn.Linear(n_in, hidden), nn.Linear(hidden, classes)

    def forward(self, x, adjacency):
        h = torch.relu(adjacency @ self.first(x))
        return adjacency @ self.second(nn.functional.dropout(h, 0.3, self.training))


def villages(n, generator):
    village = torch.randint(0, 4, (n,), generator=generator)
    p = torch.where(village[:, None] == village[None], 0.06, 0.008)
    edges = torch.triu(torch.rand(n, n, generator=generator) < p, 1).float()
    edges = edges + edges.T + torch.eye(n)
    degree = edges.sum(1).rsqrt()
    x = torch.randn(n, 16, generator=generator) + 0.5 * nn.functional.one_hot(village, 16)
    return x, degree[:, None] * edges * degree, village


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, adjacency, village = villages(600, torch.Generator().manual_seed(7))
    known = torch.arange(600) < 120
    net = GraphNet(16, 32, 4)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=5e-4)
    for epoch in range(200):
        net.train()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x, adjacency)[known], village[known])
        loss.backward()
        optimizer.step()
        if epoch % 20 == 0:
            print("epoch", epoch, "loss", loss.item())
    net.eval()
    with torch.no_grad():
        print("accuracy", (net(x, adjacency).argmax(1) == village)[~known].float().mean().item())


if __name__ == "__main__":
    main()
