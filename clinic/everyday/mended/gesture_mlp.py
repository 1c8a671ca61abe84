import argparse
import logging
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass
class Settings:
    seed: int = 0
    classes: int = 6
    channels: int = 3
    length: int = 24
    hidden: list = field(default_factory=lambda: [96, 96, 48])
    dropout: float = 0.2
    lr: float = 2e-3
    epochs: int = 25
    batch: int = 40


def gestures(s, n):
    y = torch.randint(s.classes, (n,))
    t = torch.linspace(0, 1, s.length)
    proto_gen = torch.Generator().manual_seed(11)
    amp = torch.randn(s.classes, s.channels, 3, generator=proto_gen)
    basis = torch.stack([torch.sin((k + 1) * 3.14159 * t) for k in range(3)])
    clean = (amp @ basis)[y]
    speed = 1 + 0.2 * torch.randn(n, 1, 1)
    return (clean * speed + 0.8 * torch.randn(n, s.channels, s.length)).flatten(1), y


def build(s):
    sizes = [s.channels * s.length] + s.hidden
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers.extend([nn.Linear(a, b), nn.GELU(), nn.Dropout(s.dropout)])
    layers.append(nn.Linear(sizes[-1], s.classes))
    return nn.Sequential(*layers)


def main():
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    s = Settings(seed=parser.parse_args().seed)
    torch.manual_seed(s.seed)
    x, y = gestures(s, 900)
    xv, yv = gestures(s, 500)
    model = build(s)
    opt = torch.optim.Adam(model.parameters(), lr=s.lr)
    for epoch in range(s.epochs):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(x)).split(s.batch):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        model.eval()
        with torch.no_grad():
            acc = (model(xv).argmax(1) == yv).float().mean().item()
        logging.info("epoch %d loss %.3f val %.3f", epoch, total / len(x), acc)
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
