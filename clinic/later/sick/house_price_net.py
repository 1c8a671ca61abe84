import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)

# made-up listings: area, rooms, age, distance to centre
n = 1500
area = np.random.normal(140, 40, n).clip(40)
rooms = np.round(area / 30 + np.random.normal(0, 1, n)).clip(1)
age = np.random.uniform(0, 80, n)
dist = np.random.exponential(8, n)
price = 60000 + 1900 * area + 9000 * rooms - 700 * age - 4000 * dist + 25000 * (dist < 3) + np.random.normal(0, 15000, n)

X = np.stack([area, rooms, age, dist], 1)
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(price, dtype=torch.float32).view(-1, 1)
Xtr, ytr, Xte, yte = X[:1200], y[:1200], X[1200:], y[1200:]

net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.001)
loss_fn = nn.MSELoss()
loader = DataLoader(TensorDataset(Xtr, ytr), batch_size=32, shuffle=True)

for epoch in range(25):
    total = 0
    for xb, yb in loader:
        pred = net(xb)
        loss = loss_fn(pred, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    print('Epoch {}: loss = {:.4f}'.format(epoch + 1, total / len(loader)))

net.eval()
with torch.no_grad():
    pred = net(Xte)
    r2 = 1 - ((pred - yte) ** 2).sum() / ((yte - yte.mean()) ** 2).sum()
print('r2', r2.item())
