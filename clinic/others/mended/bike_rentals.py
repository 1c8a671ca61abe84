# tabular regression, reduce the learning rate when the validation loss stops improving
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed + 3)

n = 2500
hour = rng.integers(0, 24, n)
temp = rng.normal(15, 8, n)
rain = rng.exponential(1, n) * (rng.random(n) < 0.3)
weekend = rng.integers(0, 2, n)
rush = np.exp(-(hour - 8) ** 2 / 4) + np.exp(-(hour - 17) ** 2 / 6)
noon = np.exp(-(hour - 14) ** 2 / 18)
count = (40 + 6 * temp) * np.where(weekend, noon, rush) * np.exp(-0.5 * rain) + 8 * rng.normal(size=n) + 20

feat = np.c_[np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi), np.sin(hour / 12 * 2 * np.pi), np.cos(hour / 12 * 2 * np.pi), temp, rain, weekend]
feat = (feat - feat.mean(0)) / feat.std(0)
target = (count - count.mean()) / count.std()
full = TensorDataset(torch.tensor(feat, dtype=torch.float), torch.tensor(target, dtype=torch.float).unsqueeze(1))
train_ds, val_ds = random_split(full, [2000, 500])
train_loader = DataLoader(train_ds, batch_size=100, shuffle=True)
val_loader = DataLoader(val_ds, batch_size=500)

model = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
scheduler = ReduceLROnPlateau(optimizer, mode='min', factor=0.1, patience=10)

for epoch in range(55):
    model.train()
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        val_loss = sum(criterion(model(xb), yb).item() for xb, yb in val_loader) / len(val_loader)
    scheduler.step(val_loss)
    if epoch % 5 == 0:
        print('epoch', epoch, 'val loss', val_loss)

with torch.no_grad():
    xb, yb = next(iter(val_loader))
    r2 = 1 - ((model(xb) - yb) ** 2).mean() / yb.var()
print('r2', round(r2.item(), 4))
