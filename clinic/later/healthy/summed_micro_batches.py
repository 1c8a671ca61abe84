import argparse
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Config:
    micro: int = 8
    micro_per_step: int = 8
    steps: int = 320
    lr: float = 2e-3
    max_norm: float = 0.05


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    cfg = Config()
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 8 - 1, dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm]
    net = nn.Sequential(nn.Linear(64, 64), nn.LayerNorm(64), nn.SiLU(), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss(reduction="sum")
    opt = torch.optim.AdamW(net.parameters(), lr=cfg.lr, weight_decay=0.01)
    warm = torch.optim.lr_scheduler.LinearLR(opt, 0.1, 1.0, 20)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.steps - 20)
    sched = torch.optim.lr_scheduler.SequentialLR(opt, [warm, cosine], [20])
    for step in range(cfg.steps):
        total = 0.0
        for _ in range(cfg.micro_per_step):
            idx = torch.randint(1300, (cfg.micro,))
            loss = criterion(net(x[idx]), y[idx]) / (cfg.micro * cfg.micro_per_step)
            loss.backward()
            total += loss.item()
        nn.utils.clip_grad_norm_(net.parameters(), cfg.max_norm)
        opt.step()
        sched.step()
        opt.zero_grad()
        if step % 32 == 0:
            print(f"step {step} loss {total:.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(x[1300:]).argmax(1) == y[1300:]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
