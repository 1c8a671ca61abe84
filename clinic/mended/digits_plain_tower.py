import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Tower(nn.Module):
    def __init__(self, depth=8, width=40):
        super().__init__()
        layers, n_in = [], 64
        for _ in range(depth):
            layers += [nn.Linear(n_in, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
            n_in = width
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        return self.out(self.layers(x))


def describe(model, example):
    """Prints the sizes once."""
    model.eval()
    with torch.no_grad():
        print("input", tuple(example.shape), "output", tuple(model(example).shape))
    print("parameters", sum(p.numel() for p in model.parameters()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(101))
    x, y = x[order], y[order]
    model = Tower()
    describe(model, x[:1])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 12)
    model.train()
    for epoch in range(12):
        for rows in torch.randperm(1400).split(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(epoch, loss.item())
    model.eval()
    with torch.no_grad():
        print("accuracy", (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
