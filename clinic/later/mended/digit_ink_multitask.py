import argparse
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


@dataclass
class Hyper:
    lr: float = 0.05
    momentum: float = 0.9
    clip: float = 5.0
    batch: int = 64
    epochs: int = 30


class SharedTrunk(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.digit = nn.Linear(width, 10)
        self.ink = nn.Linear(width, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.digit(h), self.ink(h).squeeze(-1)


class MultiTask:
    def __init__(self, model, hp):
        self.model, self.hp = model, hp
        self.opt = torch.optim.SGD(model.parameters(), lr=hp.lr, momentum=hp.momentum)
        self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, hp.epochs)

    def epoch(self, x, y, ink):
        self.model.train()
        s = 0.0
        for idx in torch.randperm(len(y)).split(self.hp.batch):
            logits, pred = self.model(x[idx])
            loss = F.cross_entropy(logits, y[idx]) + F.mse_loss(pred, ink[idx])
            self.opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.hp.clip)
            self.opt.step()
            s += loss.item() * len(idx)
        self.sched.step()
        return s / len(y)

    @torch.no_grad()
    def accuracy(self, x, y):
        self.model.eval()
        return (self.model(x)[0].argmax(1) == y).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    data, y = load_digits(return_X_y=True)
    raw, y = torch.tensor(data, dtype=torch.float32), torch.tensor(y)
    order = torch.randperm(len(y))
    raw, y = raw[order], y[order]
    n = 1300
    x = raw / 8 - 1
    ink = raw.sum(1)
    ink = (ink - ink[:n].mean()) / ink[:n].std()
    run = MultiTask(SharedTrunk(), Hyper())
    for e in range(run.hp.epochs):
        loss = run.epoch(x[:n], y[:n], ink[:n])
        if e % 3 == 0:
            print(f"epoch {e:2d} loss {loss:.4f} accuracy {run.accuracy(x[n:], y[n:]):.4f}")
    print(f"accuracy {run.accuracy(x[n:], y[n:]):.4f}")


if __name__ == "__main__":
    main()
