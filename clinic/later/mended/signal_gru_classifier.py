import argparse
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_


@dataclass
class Config:
    hidden: int = 24
    length: int = 24
    batch: int = 64
    steps: int = 500
    lr: float = 0.3
    momentum: float = 0.9
    max_norm: float = 1.0


class SignalNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.gru = nn.GRU(1, cfg.hidden, batch_first=True)
        self.fc = nn.Linear(cfg.hidden, 4)

    def forward(self, x):
        return self.fc(self.gru(x)[0].mean(1))


def signals(n, length):
    y = torch.randint(4, (n,))
    t = torch.arange(length).float()
    freq = torch.tensor([0.12, 0.2, 0.3, 0.42])[y]
    phase = torch.rand(n, 1) * 6.283
    x = torch.sin(6.283 * freq[:, None] * t + phase) + 0.3 * torch.randn(n, length)
    return x[..., None], y


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    cfg = Config()
    xtr, ytr = signals(4000, cfg.length)
    xte, yte = signals(800, cfg.length)
    net = SignalNet(cfg)
    opt = torch.optim.SGD(net.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    warm = 50
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min((s + 1) / warm, (cfg.steps - s) / (cfg.steps - warm)))
    for step in range(cfg.steps):
        idx = torch.randint(len(ytr), (cfg.batch,))
        loss = nn.functional.cross_entropy(net(xtr[idx]), ytr[idx])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(net.parameters(), cfg.max_norm)
        opt.step()
        sched.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(xte).argmax(1) == yte).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
