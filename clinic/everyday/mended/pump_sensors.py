import argparse
import logging
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("pump")


@dataclass
class Config:
    rows: int = 4000
    sensors: int = 18
    hidden: int = 48
    lr: float = 2e-3
    batch: int = 50
    epochs: int = 12
    seed: int = 0


def read_table(cfg):
    rng = np.random.default_rng(cfg.seed)
    state = rng.integers(0, 4, cfg.rows)
    centers = rng.normal(0, 1.0, (4, cfg.sensors))
    table = centers[state] + rng.normal(0, 1.3, (cfg.rows, cfg.sensors))
    table = table * rng.uniform(0.5, 30, cfg.sensors) + rng.uniform(-50, 50, cfg.sensors)
    table[rng.random(table.shape) < 0.002] = np.nan
    return table.astype(np.float32), state


def scale(table):
    z = (table - np.nanmean(table, 0)) / np.nanstd(table, 0)
    return torch.from_numpy(np.nan_to_num(z))


def train(cfg):
    torch.manual_seed(cfg.seed)
    table, state = read_table(cfg)
    x, y = scale(table), torch.from_numpy(state)
    cut = cfg.rows * 3 // 4
    net = nn.Sequential(nn.Linear(cfg.sensors, cfg.hidden), nn.GELU(), nn.Dropout(0.1), nn.Linear(cfg.hidden, cfg.hidden), nn.GELU(), nn.Linear(cfg.hidden, 4))
    opt = torch.optim.AdamW(net.parameters(), lr=cfg.lr, weight_decay=0.01)
    for epoch in range(cfg.epochs):
        net.train()
        losses = []
        for idx in torch.randperm(cut).split(cfg.batch):
            opt.zero_grad(set_to_none=True)
            loss = F.cross_entropy(net(x[idx]), y[idx])
            loss.backward()
            opt.step()
            losses.append(loss.item())
        log.info("epoch %d loss %.4f", epoch, float(np.mean(losses)))
    net.eval()
    with torch.no_grad():
        return (net(x[cut:]).argmax(1) == y[cut:]).float().mean().item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    print(f"accuracy {train(Config(seed=ap.parse_args().seed)):.4f}")
