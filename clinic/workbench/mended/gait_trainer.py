"""Gait phase from inertial windows: config, trainer with a best-copy, final report."""
import argparse
import copy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class GaitConfig:
    seed: int = 0
    window: int = 24
    lr: float = 2e-3
    batch: int = 64
    steps: int = 600
    report: int = 150


class GaitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 16, 5, padding=2)
        self.gru = nn.GRU(16, 16, batch_first=True)
        self.fc = nn.Linear(16, 4)

    def forward(self, x):
        h = F.relu(self.conv(x)).transpose(1, 2)[:, ::2]
        return self.fc(self.gru(h)[0][:, -1])


def inertial(n, window, rng):
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    speed = rng.uniform(0.25, 0.4, (n, 1))
    th = phase + speed * np.arange(window)
    x = np.stack([np.sin(th), np.cos(2 * th + 0.5), np.abs(np.sin(th / 2)) - 0.6], 1) * 1.4
    x += rng.normal(0, 0.2, x.shape)
    y = (th[:, -1] % (2 * np.pi) // (np.pi / 2)).astype(np.int64)
    return torch.tensor(x, dtype=torch.float32), torch.from_numpy(y)


class Trainer:
    def __init__(self, model, cfg):
        self.cfg = cfg
        self.model = model
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=cfg.lr)
        self.best, self.best_model = 0.0, copy.deepcopy(self.model)

    def step(self, x, y):
        self.model.train()
        loss = F.cross_entropy(self.model(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def validate(self, x, y):
        self.model.eval()
        acc = (self.model(x).argmax(1) == y).float().mean().item()
        if acc > self.best:
            self.best, self.best_model = acc, copy.deepcopy(self.model)
        return acc


def main(cfg):
    torch.manual_seed(cfg.seed)
    rng = np.random.default_rng(cfg.seed)
    x, y = inertial(6000, cfg.window, rng)
    xv, yv = inertial(800, cfg.window, rng)
    xt, yt = inertial(800, cfg.window, rng)
    trainer = Trainer(GaitNet(), cfg)
    run = 0.0
    for s in range(1, cfg.steps + 1):
        i = torch.randint(0, len(x), (cfg.batch,))
        run += trainer.step(x[i], y[i]) / cfg.report
        if s % cfg.report == 0:
            print(f"step {s} loss {run:.4f} val {trainer.validate(xv, yv):.3f}")
            run = 0.0
    with torch.no_grad():
        print(f"accuracy {(trainer.best_model.eval()(xt).argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(GaitConfig(seed=ap.parse_args().seed))
