"""Card fraud scorer: tabular model for the authorisation service."""
import argparse
import logging
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("fraud")


@dataclass
class Config:
    rows: int = 24000
    hidden: int = 16
    batch: int = 256
    lr: float = 4e-3
    epochs: int = 12
    seed: int = 0


def transactions(cfg):
    rng = np.random.default_rng(100 + cfg.seed)
    n = cfg.rows
    amount = rng.lognormal(3.2, 1.0, n)
    hour = rng.integers(0, 24, n)
    channel = rng.integers(0, 4, n)
    age_days = rng.exponential(400, n)
    velocity = rng.poisson(2.0, n)
    km = rng.exponential(30, n)
    score = (0.9 * np.log(amount) + 0.8 * np.cos(hour / 24 * 2 * np.pi) + 0.5 * (channel == 2)
             - 0.5 * np.log1p(age_days) + 0.45 * velocity + 0.45 * np.log1p(km))
    score = score + rng.normal(0, 0.8, n)
    y = (score > np.quantile(score, 0.975)).astype(np.float32)
    num = np.column_stack([np.log(amount), np.cos(hour / 24 * 2 * np.pi), np.sin(hour / 24 * 2 * np.pi),
                           np.log1p(age_days), velocity, np.log1p(km)])
    return num, np.eye(4)[channel], y


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    cfg = Config(seed=p.parse_args().seed)
    torch.manual_seed(cfg.seed)

    num, cat, y = transactions(cfg)
    cut = int(0.75 * len(y))
    sc = StandardScaler().fit(num[:cut])
    x = np.hstack([sc.transform(num), cat]).astype(np.float32)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    train = DataLoader(TensorDataset(x[:cut], y[:cut]), batch_size=cfg.batch, shuffle=True, drop_last=True)

    net = nn.Sequential(nn.Linear(x.shape[1], cfg.hidden), nn.ReLU(),
                        nn.Linear(cfg.hidden, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 1))
    criterion = nn.BCEWithLogitsLoss()
    opt = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.epochs)

    for epoch in range(cfg.epochs):
        net.train()
        total = 0.0
        for xb, yb in train:
            opt.zero_grad()
            loss = criterion(net(xb).squeeze(1), yb)
            loss.backward()
            opt.step()
            total += loss.item()
        sched.step()
        net.eval()
        with torch.no_grad():
            out = net(x[cut:]).squeeze(1)
        log.info("epoch %02d  train %.4f  valid %.4f", epoch, total / len(train), criterion(out, y[cut:]).item())
    print("balanced_accuracy %.4f" % balanced_accuracy_score(y[cut:].numpy(), (out > 0).numpy()))


if __name__ == "__main__":
    main()
