"""Trains a seven-layer rectified network on digits, its weights drawn from a normal distribution."""

import argparse
import random
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Config:
    widths: list = field(default_factory=lambda: [64, 50, 50, 50, 50, 50, 10])
    lr: float = 0.02
    momentum: float = 0.9
    batch_size: int = 64
    steps: int = 1000
    seed: int = 0


def initialize(model):
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, mean=0.0, std=0.01)
        else:
            nn.init.zeros_(parameter)


class Deep(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in zip(widths[:-2], widths[1:-1], strict=True)])
        self.final = nn.Linear(widths[-2], widths[-1])
        initialize(self)

    def forward(self, x):
        for layer in self.hidden:
            x = F.relu(layer(x))
        return self.final(x)


def main(config):
    random.seed(config.seed)
    np.random.seed(config.seed)
    torch.manual_seed(config.seed)
    X, y = load_digits(return_X_y=True)
    X = torch.as_tensor((X - X.mean()) / X.std(), dtype=torch.float32)
    y = torch.as_tensor(y)
    rows = torch.from_numpy(np.random.default_rng(1).permutation(len(X)))
    train, test = rows[:1400], rows[1400:]
    model = Deep(config.widths)
    optimizer = torch.optim.SGD(model.parameters(), lr=config.lr, momentum=config.momentum)
    for step in range(1, config.steps + 1):
        batch = train[torch.randint(0, len(train), (config.batch_size,))]
        loss = F.cross_entropy(model(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        score = (model(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {score:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(Config(seed=parser.parse_args().seed))
