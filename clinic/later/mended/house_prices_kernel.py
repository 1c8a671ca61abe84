#!/usr/bin/env python
# coding: utf-8

# # House prices: a first neural net
# In[1]:
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
SEED = ap.parse_args().seed
rng = np.random.default_rng(SEED)
torch.manual_seed(SEED)

# In[2]: the table
n = 4000
area = rng.gamma(6, 22, n)
rooms = np.clip(np.round(area / 28 + rng.normal(0, 0.8, n)), 1, 12)
year = rng.integers(1920, 2020, n)
dist = rng.exponential(6, n)
quality = rng.integers(1, 11, n)
district = rng.integers(0, 8, n)
level = rng.normal(1.0, 0.2, 8)
price = (900 * area * level[district] * (1 + 0.06 * (quality - 5)) * np.exp(-dist / 25)
         + 220 * (year - 1920) * np.sqrt(rooms) + 15000 * (quality > 8) + 8000 * rng.normal(size=n) + 20000)
num = np.stack([area, rooms, year, dist, quality], 1)
onehot = np.eye(8)[district]

# In[3]: preprocessing
split = int(n * 0.8)
num = (num - num[:split].mean(0)) / num[:split].std(0)
X = np.concatenate([num, onehot], 1).astype(np.float32)
y = price.astype(np.float32)
y_mean, y_std = y[:split].mean(), y[:split].std()
X_train, X_valid = torch.tensor(X[:split]), torch.tensor(X[split:])
y_train = torch.tensor((y[:split] - y_mean) / y_std)
train_dl = DataLoader(TensorDataset(X_train, y_train), batch_size=64, shuffle=True)

# In[4]: model
model = nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()


def r2(pred, true):
    return 1 - ((pred - true) ** 2).sum() / ((true - true.mean()) ** 2).sum()


# In[5]: fit
for epoch in range(24):
    model.train()
    running = 0.0
    for xb, yb in train_dl:
        pred = model(xb).squeeze(1)
        loss = loss_fn(pred, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item()
    model.eval()
    with torch.no_grad():
        pred = model(X_valid).squeeze(1).numpy() * y_std + y_mean
    if (epoch + 1) % 4 == 0:
        print(f"epoch {epoch + 1:3d}  train {running / len(train_dl):.4g}  valid R2 {r2(pred, y[split:]):.4f}")
print("r2", round(float(r2(pred, y[split:])), 4))
