import argparse
import numpy as np
import torch
from torch import nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed); rng = np.random.default_rng(seed)

n = 4000
delivery = rng.gamma(3, 1.2, n); quality = rng.normal(0, 1, n); price = rng.normal(0, 1, n); answered = rng.integers(0, 2, n)
like = 3.4 + 1.1 * quality - .35 * (delivery - 3.6) - .3 * price * (quality < 0) + .5 * answered * (quality < -.5) + .5 * rng.normal(0, 1, n)
stars = np.clip(np.round(like), 1, 5)
X = np.c_[delivery, quality, price, answered]
X = (X - X.mean(0)) / X.std(0)
x = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(stars, dtype=torch.float32).view(-1, 1)

net = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
net[-1].bias.data.fill_(3.0)
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, .9)
for epoch in range(25):
    for i in torch.randperm(3200).split(40):
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
with torch.no_grad():
    e = net(x[3200:]) - y[3200:]
print('r2', 1 - e.pow(2).mean().item() / y[3200:].var().item())
