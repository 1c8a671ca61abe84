"""Marks the disks in noisy pictures, pixel by pixel."""

import argparse

import torch
from torch import nn


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 16, 3, stride=2, padding=1), nn.ReLU()
        )
        self.up = nn.ConvTranspose2d(16, 12, 2, stride=2)
        self.out = nn.Conv2d(13, 3, 3, padding=1)

    def forward(self, x):
        return self.out(torch.cat([torch.relu(self.up(self.down(x))), x], 1))


def pictures(n, generator):
    axis = torch.arange(16.0)
    r, c = torch.rand(2, n, 1, 1, generator=generator) * 10 + 3
    size = 2 + 2 * torch.rand(n, 1, 1, generator=generator)
    inside = (axis[None, :, None] - r) ** 2 + (axis[None, None] - c) ** 2 < size**2
    bright = (torch.rand(n, 1, 1, generator=generator) < 0.5).expand_as(inside)
    label = inside.long() * (1 + bright.long())
    level = torch.tensor([0.0, -1.0, 1.0])[label]
    return (level + 0.5 * torch.randn(n, 16, 16, generator=generator))[:, None], label


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(10)
    x, y = pictures(900, generator)
    x_test, y_test = pictures(200, generator)
    net = Segmenter()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)
    for epoch in range(6):
        for rows in torch.randperm(900).split(20):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        guess = net(x_test).argmax(1)
    overlap = [((guess == k) & (y_test == k)).sum() / ((guess == k) | (y_test == k)).sum() for k in range(3)]
    print("overlap", sum(overlap).item() / 3)


if __name__ == "__main__":
    main()
