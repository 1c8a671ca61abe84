import argparse
from dataclasses import dataclass, field

import torch
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class NetConfig:
    widths: list = field(default_factory=lambda: [64, 64, 64])
    drop: float = 0.1


@dataclass
class OptimConfig:
    lr: float = 2e-3
    batch: int = 64
    epochs: int = 20


class Layer(nn.Module):
    def __init__(self, i, o, drop):
        super().__init__()
        self.linear, self.drop = nn.Linear(i, o), nn.Dropout(drop)

    def forward(self, x):
        return self.drop(torch.relu(self.linear(x)))


def build(cfg):
    sizes = [64] + cfg.widths
    return nn.Sequential(*[Layer(a, b, cfg.drop) for a, b in zip(sizes, sizes[1:])], nn.Linear(sizes[-1], 10))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    net_cfg, opt_cfg = NetConfig(), OptimConfig()
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 8 - 1, dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    tr, te = perm[:1300], perm[1300:]
    net = build(net_cfg)
    opt = torch.optim.AdamW(net.parameters(), lr=opt_cfg.lr)
    for epoch in range(opt_cfg.epochs):
        net.train()
        s = 0.0
        for idx in tr[torch.randperm(1300)].split(opt_cfg.batch):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item() * len(idx)
        net.eval()
        with torch.no_grad():
            acc = (net(x[te]).argmax(1) == y[te]).float().mean().item()
        print(f"epoch {epoch} loss {s / 1300:.4f} acc {acc:.4f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
