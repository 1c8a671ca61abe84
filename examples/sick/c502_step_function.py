"""Fits a bump with two rectified units."""

import argparse
import random

import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--units", type=int, default=2)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

x = torch.linspace(-1.0, 1.0, 200).unsqueeze(1)
y = torch.exp(-30 * (x - 0.45) ** 2) + torch.exp(-30 * (x + 0.45) ** 2)

model = nn.Sequential(nn.Linear(1, args.units), nn.ReLU(), nn.Linear(args.units, 1))
with torch.no_grad():
    model[0].bias.copy_(torch.linspace(-0.5, 0.5, args.units) * model[0].weight[:, 0].abs())
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
loss_fn = nn.MSELoss()
for step in range(3000):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    if step % 500 == 499:
        print(f"step {step + 1} loss {loss.item():.5f}")
with torch.no_grad():
    r2 = 1 - loss_fn(model(x), y) / y.var(unbiased=False)
print(f"R2 {r2.item():.3f}")
