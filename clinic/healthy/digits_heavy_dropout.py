import argparse
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Config:
    seed: int = 0
    widths: list = field(default_factory=lambda: [64, 200, 200, 10])
    dropout: float = 0.5
    lr: float = 2e-3
    epochs: int = 20


def build(config):
    layers = []
    for n_in, n_out in zip(config.widths, config.widths[1:]):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(config.dropout)]
    return nn.Sequential(*layers[:-2])


def main(config):
    torch.manual_seed(config.seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(24))
    x, y = x[order], y[order]
    net = build(config)
    optimizer = torch.optim.Adam(net.parameters(), lr=config.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.epochs)
    for epoch in range(config.epochs):
        net.train()
        for rows in torch.randperm(1400).split(50):
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        net.eval()
        with torch.no_grad():
            scores = net(x[1400:])
            valid = nn.functional.cross_entropy(scores, y[1400:]).item()
        if epoch % 4 == 0:
            print(f"epoch {epoch} train {loss.item():.4f} valid {valid:.4f}")
    print("accuracy", (scores.argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(Config(seed=parser.parse_args().seed))
