# Semester project: tell the kind of tissue (codes 0..6) from 9 spectral bands
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed + 20)

KINDS = 7
centers = rng.normal(size=(KINDS, 9)) * 1.1
codes = rng.integers(0, KINDS, 4000)
bands = centers[codes] + rng.normal(size=(4000, 9)) * 0.7
bands = (bands - bands.mean(0)) / bands.std(0)
X = torch.tensor(bands, dtype=torch.float32)
y = torch.tensor(codes)


class TissueNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.out = nn.Linear(32, KINDS)

    def forward(self, x):
        return self.out(self.body(x))


def compute_loss(output, code):
    return nn.functional.cross_entropy(output, code)


def to_code(output):
    return output.argmax(1)


def evaluate(net, x, y):
    net.eval()
    with torch.no_grad():
        return (to_code(net(x)) == y).float().mean().item()


net = TissueNet()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
loader = DataLoader(TensorDataset(X[:3200], y[:3200]), batch_size=64, shuffle=True)
for epoch in range(14):
    net.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = compute_loss(net(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(yb)
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1}: loss {total / 3200:.4f} test accuracy {evaluate(net, X[3200:], y[3200:]):.4f}")
print("accuracy %.4f" % evaluate(net, X[3200:], y[3200:]))
