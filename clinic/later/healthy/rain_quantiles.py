# 10 %, 50 % and 90 % quantiles of tomorrow's rain
import argparse
import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
x = rng.normal(size=(5000, 4))
rain = np.exp(0.6 * x[:, 0] + 0.3 * x[:, 1] * x[:, 2]) * rng.gamma(1.5, 1 / 1.5, 5000)
X, y = torch.tensor(x, dtype=torch.float32), torch.tensor(rain, dtype=torch.float32).unsqueeze(1)
q = torch.tensor([0.1, 0.5, 0.9])
net = nn.Sequential(nn.Linear(4, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 3))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, 0.85)


def pinball(pred, target):
    d = target - pred
    return torch.maximum(q * d, (q - 1) * d).mean()


for epoch in range(16):
    tot = 0.0
    for b in torch.randperm(4000).split(50):
        loss = pinball(net(X[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    sched.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} pinball {tot / 80:.4f}")
with torch.no_grad():
    pred = net(X[4000:])
    flat = pinball(torch.quantile(y[:4000], q).expand(1000, 3), y[4000:])
    skill = 1 - pinball(pred, y[4000:]) / flat
    print("share below", (y[4000:] < pred).float().mean(0).tolist())
print(f"skill {skill.item():.4f}")
