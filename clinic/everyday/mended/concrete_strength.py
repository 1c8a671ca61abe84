import argparse
import copy
import warnings

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
gen = np.random.default_rng(seed)

n = 2000
cement = gen.uniform(100, 540, n)
slag = gen.uniform(0, 300, n)
water = gen.uniform(120, 245, n)
plast = gen.uniform(0, 30, n)
sand = gen.uniform(590, 990, n)
age = gen.choice([3, 7, 28, 90], n)
strength = 22 * np.log1p(age / 7) * (cement + 0.5 * slag) / (water * 1.6) + 0.4 * plast + gen.normal(0, 1.5, n)
X = np.stack([cement, slag, water, plast, sand, np.log(age)], axis=1)
X = (X - X.mean(0)) / X.std(0)
y = (strength - strength.mean()) / strength.std()
X = torch.as_tensor(X, dtype=torch.float32)
y = torch.as_tensor(y, dtype=torch.float32).view(-1, 1)

train_dl = DataLoader(TensorDataset(X[:1500], y[:1500]), batch_size=50, shuffle=True)
valid_dl = DataLoader(TensorDataset(X[1500:], y[1500:]), batch_size=100)
model = nn.Sequential(nn.Linear(6, 40), nn.ELU(), nn.Linear(40, 40), nn.ELU(), nn.Linear(40, 1))
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
crit = nn.MSELoss()

best, best_state = 1e9, None
for epoch in range(22):
    model.train()
    tr = [] 
    for xb, yb in train_dl:
        opt.zero_grad()
        loss = crit(model(xb), yb)
        loss.backward()
        opt.step()
        tr.append(loss.item())
    model.eval()
    with torch.no_grad():
        va = np.mean([crit(model(xb), yb).item() for xb, yb in valid_dl])
    if va < best:
        best, best_state = va, copy.deepcopy(model.state_dict())
    print(f"{epoch:2d}  train {np.mean(tr):.4f}  valid {va:.4f}")

model.load_state_dict(best_state)
with torch.no_grad():
    p = model(X[1500:]).flatten().numpy()
t = y[1500:].numpy().flatten()
print("r2", round(float(1 - ((p - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()), 4))
