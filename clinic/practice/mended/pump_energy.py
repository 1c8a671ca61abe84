import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
args = ap.parse_args()
torch.manual_seed(args.seed)


def read_plant(seed, n=9000):
    """One row a quarter of an hour: speed, pressure, flow, inlet temperature, valve position."""
    r = np.random.default_rng(seed + 7)
    speed = r.normal(1450, 120, n)
    pressure = r.normal(4.0, 0.6, n)
    flow = r.gamma(3.0, 25.0, n)
    flow[r.random(n) < 0.002] = 0.0
    temp = r.normal(18, 5, n)
    valve = r.uniform(0, 1, n)
    kwh = (12 * (speed / 1450) ** 3 + 1.5 * pressure * np.log1p(flow) - 4 * valve ** 2 + 0.05 * temp
           + r.normal(0, 0.8, n))
    return np.column_stack([speed, pressure, flow, temp, valve]), kwh


class PlantRows(Dataset):
    center = np.array([1450.0, 4.0, 4.1, 18.0, 0.5])
    spread = np.array([120.0, 0.6, 0.6, 5.0, 0.29])

    def __init__(self, table, target, mean, std):
        self.table, self.target = table, ((target - mean) / std).astype(np.float32)

    def __len__(self):
        return len(self.table)

    def __getitem__(self, i):
        row = self.table[i].copy()
        row[2] = np.log1p(row[2])
        return torch.tensor((row - self.center) / self.spread, dtype=torch.float32), self.target[i]


table, kwh = read_plant(args.seed)
cut = 7000
mean, std = kwh[:cut].mean(), kwh[:cut].std()
train = DataLoader(PlantRows(table[:cut], kwh[:cut], mean, std), batch_size=128, shuffle=True)
valid = DataLoader(PlantRows(table[cut:], kwh[cut:], mean, std), batch_size=500)

model = nn.Sequential(nn.Linear(5, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=12 * len(train))

for epoch in range(12):
    model.train()
    running = []
    for x, y in train:
        loss = F.mse_loss(model(x).squeeze(-1), y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        running.append(loss.item())
    model.eval()
    with torch.no_grad():
        sq = [((model(x).squeeze(-1) - y) ** 2).mean().item() for x, y in valid]
    print(f"[{epoch:2d}] train_mse={np.mean(running):.4f} valid_mse={np.mean(sq):.4f}")
print(f"r2 {1 - np.mean(sq):.4f}")
