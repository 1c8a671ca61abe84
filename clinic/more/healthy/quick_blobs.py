import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_blobs

class EarlyStopper:
    def __init__(self, patience): self.best, self.bad, self.patience = float("inf"), 0, patience
    def __call__(self, v):
        self.bad = 0 if v < self.best - 1e-3 else self.bad + 1
        self.best = min(self.best, v)
        return self.bad >= self.patience

a = argparse.ArgumentParser(); a.add_argument("--seed", type=int, default=0); seed = a.parse_args().seed
torch.manual_seed(seed)
X, y = make_blobs(3000, 10, centers=6, cluster_std=3.0, random_state=seed)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32); y = torch.tensor(y)
net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 6))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
stop = EarlyStopper(3)
for epoch in range(100):
    for i in torch.randperm(2000).split(32):
        opt.zero_grad(); loss = nn.functional.cross_entropy(net(X[i]), y[i]); loss.backward(); opt.step()
    with torch.no_grad():
        v = nn.functional.cross_entropy(net(X[2000:2500]), y[2000:2500]).item()
    print(epoch, round(v, 4))
    if stop(v):
        break
with torch.no_grad():
    print("accuracy", round((net(X[2500:]).argmax(1) == y[2500:]).float().mean().item(), 3))
