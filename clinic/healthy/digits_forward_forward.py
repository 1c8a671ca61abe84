"""Layers that learn one by one: true pairs of digit and label should excite them, false ones not."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class LocalLayer(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=3e-3)

    def forward(self, x):
        return torch.relu(self.linear(x / (x.norm(dim=1, keepdim=True) + 1e-4) * 4))

    def learn(self, good, bad):
        g, b = self(good).pow(2).mean(1), self(bad).pow(2).mean(1)
        loss = nn.functional.softplus(torch.cat([1 - g, b - 1])).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return self(good).detach(), self(bad).detach(), loss.item()


def with_label(x, y):
    return torch.cat([x, 2 * nn.functional.one_hot(y, 10).float()], 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 8 - 0.6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(18))
    x, y = x[order], y[order]
    layers = [LocalLayer(74, 160), LocalLayer(160, 160)]
    for epoch in range(30):
        for rows in torch.randperm(1400).split(50):
            other = (y[rows] + torch.randint(1, 10, (len(rows),))) % 10
            good, bad = with_label(x[rows], y[rows]), with_label(x[rows], other)
            losses = []
            for layer in layers:
                good, bad, loss = layer.learn(good, bad)
                losses.append(round(loss, 4))
        if epoch % 5 == 0:
            print("epoch", epoch, "losses", losses)
    with torch.no_grad():
        merit = []
        for label in range(10):
            h, total = with_label(x[1400:], torch.full((397,), label)), 0
            for layer in layers:
                h = layer(h)
                total = total + h.pow(2).mean(1)
            merit.append(total)
        print("accuracy", (torch.stack(merit, 1).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
