"""Tells from the sound of two microphones which of five machines is running."""

import argparse

import torch
from torch import nn


class TwoMicrophones(nn.Module):
    def __init__(self, branches=2, hidden=24):
        super().__init__()
        self.branches = nn.ModuleList(
            [nn.Sequential(nn.Linear(40, hidden), nn.ReLU(), nn.Linear(hidden, 4), nn.Tanh()) for _ in range(branches)]
        )
        self.out = nn.Linear(4 * branches, 5)

    def forward(self, left, right):
        codes = [branch(x) for branch, x in zip(self.branches, (left, right))]
        return self.out(torch.cat(codes, dim=1))


def recordings(n, generator):
    t = torch.arange(40) / 40
    label = torch.randint(0, 5, (n,), generator=generator)
    tone = torch.tensor([3.0, 4.0, 5.0, 6.5, 8.0])[label][:, None]
    phase = 6.28 * torch.rand(n, 1, generator=generator)
    left = torch.sin(6.28 * tone * t + phase) + 0.5 * torch.randn(n, 40, generator=generator)
    right = torch.cos(6.28 * tone * t + phase) + 0.5 * torch.randn(n, 40, generator=generator)
    return left, right, label


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(0)
    left, right, label = recordings(3000, generator)
    test_left, test_right, test_label = recordings(800, generator)
    model = TwoMicrophones()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    for epoch in range(20):
        for rows in torch.randperm(3000).split(60):
            loss = nn.functional.cross_entropy(model(left[rows], right[rows]), label[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 4 == 0:
            print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("accuracy", (model(test_left, test_right).argmax(1) == test_label).float().mean().item())


if __name__ == "__main__":
    main()
