"""Probabilistic demand forecast: a network that gives a mean and a width for every shop and day."""
import argparse
import math
import numpy as np
import torch
from torch import nn
from torch.distributions import Normal

cli = argparse.ArgumentParser()
cli.add_argument("--seed", type=int, default=0)
opts = cli.parse_args()
torch.manual_seed(opts.seed)
rng = np.random.default_rng(opts.seed + 11)

SHOPS, DAYS = 30, 260
shop = np.repeat(np.arange(SHOPS), DAYS)
day = np.tile(np.arange(DAYS), SHOPS)
base = rng.normal(0, 0.6, SHOPS)[shop]
promo = (rng.random(len(shop)) < 0.15).astype(float)
temp = np.sin(2 * np.pi * day / 365) + rng.normal(0, 0.3, len(shop))
weekday = day % 7
mean = base + 0.9 * promo + 0.5 * temp + 0.4 * (weekday >= 5)
width = 0.2 + 0.25 * promo + 0.1 * (weekday >= 5)
sales = mean + width * rng.normal(size=len(shop))

cont = torch.tensor(np.column_stack([promo - 0.15, temp, np.eye(7)[weekday]]), dtype=torch.float32)
shop_t = torch.from_numpy(shop)
sales_t = torch.tensor((sales - sales.mean()) / sales.std(), dtype=torch.float32)
is_test = torch.from_numpy(day >= 210)
TR, TE = torch.where(~is_test)[0], torch.where(is_test)[0]


class DensityNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.shop = nn.Embedding(SHOPS, 6)
        self.trunk = nn.Sequential(nn.Linear(6 + 9, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh())
        self.mu = nn.Linear(48, 1)
        self.rho = nn.Linear(48, 1)

    def forward(self, s, c):
        h = self.trunk(torch.cat([self.shop(s), c], 1))
        return Normal(self.mu(h).squeeze(1), nn.functional.softplus(self.rho(h)).squeeze(1) + 0.02)


net = DensityNet()
optim = torch.optim.Adam([{"params": net.shop.parameters(), "lr": 1e-2},
                          {"params": [p for n, p in net.named_parameters() if not n.startswith("shop")]}], lr=3e-3)
EPOCHS = 14
schedule = torch.optim.lr_scheduler.LambdaLR(optim, lambda e: 0.5 * (1 + math.cos(math.pi * e / EPOCHS)))
for epoch in range(EPOCHS):
    net.train()
    acc = []
    for b in TR[torch.randperm(len(TR))].split(96):
        loss = -net(shop_t[b], cont[b]).log_prob(sales_t[b]).mean()
        optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optim.step()
        acc.append(loss.item())
    schedule.step()
    net.eval()
    with torch.no_grad():
        dist = net(shop_t[TE], cont[TE])
        rmse = (dist.mean - sales_t[TE]).pow(2).mean().sqrt().item()
    print(f"epoch={epoch:02d} loss={np.mean(acc):.4f} rmse={rmse:.4f} width={dist.stddev.mean().item():.3f}")

print(f"r2 {1 - rmse ** 2 / sales_t[TE].var().item():.4f}")
