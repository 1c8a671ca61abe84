"""A function that trains, as a person might hand it to ``unstuck.cure``; it never makes a step."""

import torch
from torch import nn


def train(seed):
    torch.manual_seed(seed)
    y = torch.arange(150) % 3
    x = 0.8 * torch.randn(3, 8)[y] + torch.randn(150, 8)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(20):
        for rows in torch.randperm(150).split(30):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
