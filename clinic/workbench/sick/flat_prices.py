import argparse
import numpy as np, torch
import torch.nn as nn
a = argparse.ArgumentParser(); a.add_argument('--seed', type=int, default=0)
seed = a.parse_args().seed
torch.manual_seed(seed); g = np.random.default_rng(seed)

# flats in the city, price in EUR
N = 2000
size = g.gamma(9, 8, N)
rooms = np.clip(np.round(size / 25 + g.normal(0, .6, N)), 1, 7)
floor = g.integers(0, 9, N)
dist = g.gamma(2, 2.2, N)
new = g.integers(0, 2, N)
price = 3900 * size * np.exp(-.09 * dist) + 2500 * floor + 30000 * new + 9000 * rooms + g.normal(0, 14000, N)
feats = np.c_[size, rooms, floor, dist, new]
feats = (feats - feats[:1600].mean(0)) / feats[:1600].std(0)

xt = torch.tensor(feats[:1600], dtype=torch.float32)
xv = torch.tensor(feats[1600:], dtype=torch.float32)
yt = torch.tensor(price[:1600], dtype=torch.float32).view(-1, 1)

net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.001)
mse = nn.MSELoss()
for epoch in range(40):
    p = torch.randperm(1600)
    s = 0.
    for k in range(0, 1600, 32):
        j = p[k:k + 32]
        opt.zero_grad()
        l = mse(net(xt[j]), yt[j])
        l.backward()
        opt.step()
        s += l.item() / 50
    if epoch % 10 == 0: print(epoch, s)

with torch.no_grad():
    pred = net(xv).numpy().ravel()
true = price[1600:]
print('r2', 1 - ((true - pred) ** 2).sum() / ((true - true.mean()) ** 2).sum())
