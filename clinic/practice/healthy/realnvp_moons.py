"""Affine coupling flow (Dinh et al. 2017) by maximum likelihood; nats per point."""
import argparse
import math
from dataclasses import dataclass
import torch
import torch.nn as nn
from sklearn.datasets import make_moons


@dataclass
class Args:
    seed: int = 0
    couplings: int = 6
    hidden: int = 32
    steps: int = 600
    batch: int = 256
    lr: float = 1.5e-2


class Coupling(nn.Module):
    def __init__(self, flip, hidden):
        super().__init__()
        self.flip = flip
        self.net = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, 2))
        nn.init.zeros_(self.net[-1].weight)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, x):
        a, b = x.flip(1).chunk(2, 1) if self.flip else x.chunk(2, 1)
        s, t = self.net(a).chunk(2, 1)
        s = 2 * torch.tanh(s / 2)
        b = b * s.exp() + t
        return torch.cat([b, a] if self.flip else [a, b], 1), s.squeeze(1)


class Flow(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.parts = nn.ModuleList(Coupling(bool(k % 2), cfg.hidden) for k in range(cfg.couplings))

    def log_prob(self, x):
        logdet = torch.zeros(len(x))
        for part in self.parts:
            x, ld = part(x)
            logdet = logdet + ld
        return -0.5 * x.pow(2).sum(1) - math.log(2 * math.pi) + logdet


def main(cfg):
    torch.manual_seed(cfg.seed)
    x, _ = make_moons(6000, noise=0.06, random_state=cfg.seed)
    x = torch.tensor((x - x.mean(0)) / 0.7, dtype=torch.float32)
    train, test = x[:5000], x[5000:]
    flow = Flow(cfg)
    opt = torch.optim.Adam(flow.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.steps)
    for step in range(cfg.steps):
        loss = -flow.log_prob(train[torch.randint(len(train), (cfg.batch,))]).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
        opt.step()
        sched.step()
        if step % 60 == 0:
            print(f"{step:5d} nll {loss.item():+.4f}")
    with torch.no_grad():
        print(f"log_likelihood {flow.log_prob(test).mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    for k, v in vars(Args()).items():
        ap.add_argument("--" + k, type=type(v), default=v)
    main(Args(**vars(ap.parse_args())))
