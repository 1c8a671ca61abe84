"""Hourly bike rentals: counts, Poisson loss, the rate goes up and down in triangles."""
import argparse
import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
n = 5000
hour, temp, wet, free = rng.integers(0, 24, n), rng.normal(15, 8, n), rng.random(n) < 0.2, rng.random(n) < 0.3
rate = np.exp(1.8 + 1.1 * np.sin((hour - 9) / 24 * 6.283) + 0.05 * (temp - 15) - 0.9 * wet
              + 0.7 * (~free) * np.isin(hour, (8, 17, 18)) - 0.002 * (temp - 22) ** 2)
count = rng.poisson(rate)
X = np.concatenate([np.eye(24)[hour], ((temp - 15) / 8)[:, None], wet[:, None], free[:, None]], 1)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(count, dtype=torch.float32)
net = nn.Sequential(nn.Linear(27, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.002, momentum=0.9)
sched = torch.optim.lr_scheduler.CyclicLR(opt, base_lr=0.0005, max_lr=0.008, step_size_up=160, mode="triangular2", cycle_momentum=False)
nll = nn.PoissonNLLLoss(log_input=True)
for epoch in range(20):
    tot = 0.0
    for b in torch.randperm(4000).split(50):
        loss = nll(net(X[b]).squeeze(1), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        tot += loss.item()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} nll {tot / 80:.4f} rate {sched.get_last_lr()[0]:.5f}")
with torch.no_grad():
    mu = net(X[4000:]).squeeze(1).exp()
    t = y[4000:]
    dev = lambda m: (torch.special.xlogy(t, t / m) - (t - m)).mean()
    print(f"deviance_explained {1 - (dev(mu) / dev(y[:4000].mean().expand(1000))).item():.4f}")
