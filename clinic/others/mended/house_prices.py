import argparse
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader
import numpy as np
from sklearn.metrics import r2_score

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

# made-up listings: size, rooms, age, distance to centre, floor, garden
n = 3000
size = rng.uniform(30, 220, n)
rooms = np.clip(np.round(size / 30 + rng.normal(0, 0.8, n)), 1, 9)
age = rng.uniform(0, 90, n)
dist = rng.exponential(6, n)
floor = rng.integers(0, 8, n)
garden = rng.integers(0, 2, n)
price = 2600 * size + 9000 * rooms - 900 * age + 45000 * garden + 180000 * np.exp(-dist / 5) + 0.6 * size * (90 - age) * 10
price = price + rng.normal(0, 20000, n)

X = np.stack([size, rooms, age, dist, floor, garden], axis=1)
X = (X - X.mean(0)) / X.std(0)
y = price.reshape(-1, 1)

split = 2400
y_mean, y_std = y[:split].mean(), y[:split].std()
y = (y - y_mean) / y_std

train_ds = TensorDataset(torch.tensor(X[:split], dtype=torch.float32), torch.tensor(y[:split], dtype=torch.float32))
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
X_val = torch.tensor(X[split:], dtype=torch.float32)
y_val = y[split:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.layers(x)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()

for epoch in range(60):
    net.train()
    total = 0
    for xb, yb in train_dl:
        pred = net(xb)
        loss = loss_fn(pred, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if (epoch + 1) % 10 == 0:
        print(f"epoch {epoch + 1}: train mse {total / len(train_dl):.4g}")

net.eval()
with torch.no_grad():
    out = net(X_val).numpy()
print("r2", round(float(r2_score(y_val, out)), 4))
