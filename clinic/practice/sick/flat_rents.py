"""Monthly rents from size, year, district and building type."""
import argparse
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Settings:
    seed: int = 0
    keep_prob: float = 0.9
    widths: list = field(default_factory=lambda: [96, 96])
    lr: float = 3e-3
    batch_size: int = 128
    epochs: int = 14


class EntityNet(nn.Module):
    def __init__(self, s, sizes, n_num):
        super().__init__()
        self.tables = nn.ModuleList([nn.Embedding(n, min(8, n // 2)) for n in sizes])
        width = n_num + sum(t.embedding_dim for t in self.tables)
        layers = []
        for w in s.widths:
            layers += [nn.Linear(width, w), nn.SiLU(), nn.Dropout(s.keep_prob)]
            width = w
        self.mlp = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, num, cat):
        emb = [t(cat[:, i]) for i, t in enumerate(self.tables)]
        return self.mlp(torch.cat([num, *emb], 1)).squeeze(1)


def listings(seed, n=9000):
    r = np.random.default_rng(seed + 40)
    size = r.gamma(6, 12, n)
    year = r.integers(1900, 2024, n)
    floor = r.integers(0, 9, n)
    district = r.integers(0, 25, n)
    kind = r.integers(0, 5, n)
    eff = r.normal(0, 3.0, 25)
    per_m2 = 13 + eff[district] + 2.0 * np.abs((year - 1965) / 40) + 0.3 * floor * (kind == 2) + 1.5 * (kind == 4)
    rent = size ** 0.85 * per_m2 * np.exp(0.08 * r.normal(size=n))
    num = np.column_stack([np.log(size), (year - 1960) / 36, floor])
    return num, np.column_stack([district, kind]), np.log(rent)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    s = Settings(seed=ap.parse_args().seed)
    torch.manual_seed(s.seed)
    num, cat, y = listings(s.seed)
    cut = 7500
    num = (num - num[:cut].mean(0)) / num[:cut].std(0)
    y = (y - y[:cut].mean()) / y[:cut].std()
    num, cat, y = torch.tensor(num, dtype=torch.float32), torch.tensor(cat), torch.tensor(y, dtype=torch.float32)
    loader = DataLoader(TensorDataset(num[:cut], cat[:cut], y[:cut]), s.batch_size, shuffle=True)

    model = EntityNet(s, (25, 5), 3)
    opt = torch.optim.Adam(model.parameters(), lr=s.lr)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, s.lr, epochs=s.epochs, steps_per_epoch=len(loader))
    for epoch in range(s.epochs):
        model.train()
        total = 0.0
        for a, b, t in loader:
            loss = nn.functional.smooth_l1_loss(model(a, b), t)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(t)
        model.eval()
        with torch.no_grad():
            p = model(num[cut:], cat[cut:])
            r2 = 1 - ((p - y[cut:]) ** 2).mean().item() / y[cut:].var().item()
            v = nn.functional.smooth_l1_loss(p, y[cut:]).item()
        print(f"epoch {epoch:02d}: {total / cut:.4f} (validation {v:.4f}, r2 {r2:.4f})")
    print(f"r2 {r2:.4f}")


if __name__ == "__main__":
    main()
