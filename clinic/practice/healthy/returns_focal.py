"""Will this order come back? 2 % positives, focal loss, prior set in the last bias."""
import argparse
import math

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
g = np.random.default_rng(seed + 2)

n = 26000
price = g.lognormal(3.5, 0.8, n)
discount = g.beta(1, 4, n)
size_change = g.integers(0, 5, n)
brand = g.integers(0, 40, n)
beff = g.normal(0, 0.8, 40)
z = -6.7 + 0.9 * (np.log(price) - 3.5) + 4.0 * discount + 0.7 * size_change + beff[brand]
y = (g.random(n) < 1 / (1 + np.exp(-z))).astype(np.float32)
num = np.column_stack([np.log(price), discount, size_change])
num = (num - num[:20000].mean(0)) / num[:20000].std(0)
num, brand, y = torch.tensor(num, dtype=torch.float32), torch.tensor(brand), torch.tensor(y)


class ReturnNet(nn.Module):
    def __init__(self, prior):
        super().__init__()
        self.brand = nn.Embedding(40, 4)
        self.mlp = nn.Sequential(nn.Linear(7, 24), nn.ReLU(), nn.Linear(24, 1))
        nn.init.constant_(self.mlp[-1].bias, math.log(prior / (1 - prior)))

    def forward(self, a, b):
        return self.mlp(torch.cat([a, self.brand(b)], 1)).squeeze(1)


def focal(logit, t, gamma=1.5):
    ce = nn.functional.binary_cross_entropy_with_logits(logit, t, reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


net = ReturnNet(y[:20000].mean().item())
opt = torch.optim.Adam(net.parameters(), lr=6e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10)
for epoch in range(10):
    net.train()
    tot = 0.0
    for b in torch.randperm(20000).split(256):
        loss = focal(net(num[b], brand[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(b) / 20000
    sched.step()
    net.eval()
    with torch.no_grad():
        s = net(num[20000:], brand[20000:])
    print(f"{epoch} focal {tot:.5f} valid {focal(s, y[20000:]).item():.5f} ap {average_precision_score(y[20000:], s):.4f}")
print(f"auc {roc_auc_score(y[20000:], s):.4f}")
