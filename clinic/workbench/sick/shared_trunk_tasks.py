"""Multi-task network: three targets from one trunk, trained on the sum of the task losses."""
import argparse
from dataclasses import dataclass, field
from typing import List

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class TaskConfig:
    hidden: int = 64
    lr: float = 2e-3
    steps: int = 1500
    batch: int = 64
    weights: List[float] = field(default_factory=lambda: [1.0, 1.0, 1.0])


class MultiTask(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 12), nn.ReLU())
        self.heads = nn.ModuleDict({
            "energy": nn.Linear(12, 1),
            "gap": nn.Linear(12, 1),
            "phase": nn.Linear(12, 3),
        })

    def forward(self, x):
        z = self.trunk(x)
        return {name: head(z.detach()) for name, head in self.heads.items()}


def molecules(n, rng):
    x = rng.normal(size=(n, 8)).astype(np.float32)
    e = np.sin(x[:, 0] * 1.5) + x[:, 1] * x[:, 2]
    g = np.abs(x[:, 3]) * 1.5 + x[:, 4] - 1.2
    s = x[:, 5] * x[:, 6] + 0.5 * x[:, 7]
    phase = np.digitize(s, [-0.5, 0.5])
    return (torch.from_numpy(x), torch.from_numpy(e)[:, None], torch.from_numpy(g)[:, None], torch.from_numpy(phase))


def losses(out, e, g, phase):
    return [F.mse_loss(out["energy"], e), F.mse_loss(out["gap"], g), F.cross_entropy(out["phase"], phase)]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    cfg = TaskConfig()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    train, test = molecules(8000, rng), molecules(1500, rng)
    model = MultiTask(cfg)
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for step in range(1, cfg.steps + 1):
        i = torch.randint(0, 8000, (cfg.batch,))
        x, e, g, phase = (t[i] for t in train)
        parts = losses(model(x), e, g, phase)
        loss = sum(w * part for w, part in zip(cfg.weights, parts))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 250 == 0:
            print(f"step {step} " + " ".join(f"{q.item():.3f}" for q in parts))
    x, e, g, phase = test
    with torch.no_grad():
        out = model(x)
    r2 = [1 - (F.mse_loss(out[k], v) / v.var()).item() for k, v in (("energy", e), ("gap", g))]
    acc = (out["phase"].argmax(1) == phase).float().mean().item()
    print(f"mean_score {(sum(r2) + acc) / 3:.4f}")


if __name__ == "__main__":
    main()
