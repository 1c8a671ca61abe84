"""Four linear experts and a router that says who answers."""

import argparse

import torch
from torch import nn
import torch.nn.functional as F


class Mixture(nn.Module):
    def __init__(self, experts=4):
        super().__init__()
        self.router = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, experts))
        self.experts = nn.Linear(2, experts)

    def forward(self, x):
        scores = self.router(x)
        gate = F.softmax(scores, dim=1)
        return (gate * self.experts(x)).sum(1)


def surface(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 2, generator=g)
    return x, x[:, 0].abs() + (x[:, 1] - 0.4).abs() - 1.6 + 0.05 * torch.randn(n, generator=g)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
x, y = surface(1500, seed=0)
x_test, y_test = surface(500, seed=1)
model = Mixture()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
for epoch in range(40):
    for rows in torch.randperm(1500).split(50):
        loss = F.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 8 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("R2", 1 - F.mse_loss(model(x_test), y_test).item() / y_test.var().item())
