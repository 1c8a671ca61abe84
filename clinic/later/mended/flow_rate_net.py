import argparse
from dataclasses import dataclass

import torch
from torch import nn


@dataclass
class Config:
    width: int = 48
    bn_momentum: float = 0.1
    batch: int = 100
    epochs: int = 25
    lr: float = 5e-3


class FlowNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        layers, last = [], 4
        for _ in range(2):
            layers += [nn.Linear(last, cfg.width), nn.BatchNorm1d(cfg.width, momentum=cfg.bn_momentum), nn.ReLU()]
            last = cfg.width
        self.body = nn.Sequential(*layers)
        self.out = nn.Linear(last, 1)

    def forward(self, x):
        return self.out(self.body(x)).squeeze(1)


def sample(n):
    x = torch.randn(n, 4)
    y = x[:, 0] * x[:, 1] + torch.sin(2 * x[:, 2]) - 0.5 * x[:, 3].abs()
    return x, y + 0.05 * torch.randn(n)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    cfg = Config()
    x, y = sample(3000)
    y = (y - y[:2500].mean()) / y[:2500].std()
    net = FlowNet(cfg)
    opt = torch.optim.AdamW(net.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.epochs)

    @torch.no_grad()
    def r2():
        net.eval()
        return 1 - nn.functional.mse_loss(net(x[2500:]), y[2500:]).item() / y[2500:].var().item()

    for epoch in range(cfg.epochs):
        net.train()
        s = 0.0
        for idx in torch.randperm(2500).split(cfg.batch):
            loss = nn.functional.mse_loss(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item() * len(idx)
        sched.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} train {s / 2500:.4f} test r2 {r2():.4f}")
    print(f"r2 {r2():.4f}")


if __name__ == "__main__":
    main()
