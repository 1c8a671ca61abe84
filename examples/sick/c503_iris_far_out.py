"""Which flowers are virginica? A single sigmoid on a rectified layer, trained on squared error."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--bias", type=float, default=-40.0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_iris(return_X_y=True)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
y = torch.tensor(y == 2, dtype=torch.float32).unsqueeze(1)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:110], order[110:]

net = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 1), nn.Sigmoid())
nn.init.constant_(net[2].bias, args.bias)  # the class is rare
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
for epoch in range(400):
    loss = nn.functional.mse_loss(net(X[train]), y[train])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 100 == 99:
        print(f"epoch {epoch + 1} loss {loss.item():.5f}")
with torch.no_grad():
    recall = (net(X[test])[y[test] == 1] > 0.5).float().mean().item()
print(f"recall {recall:.3f}")
