import argparse
import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

# advertised prices; one in twelve is a typing error of the seller
n = 4000
age, km, power = rng.uniform(0, 20, n), rng.gamma(4, 25, n), rng.normal(110, 35, n)
price = 1000 * (4 + 0.2 * power * np.exp(-age / 8) - 0.01 * km) + 700 * rng.normal(size=n)
clean = price.copy()
wrong = rng.random(n) < 0.08
price[wrong] *= rng.choice([0.1, 10.0], wrong.sum())
X = np.stack([age, km, power], 1)
X = (X - X.mean(0)) / X.std(0)
scale = 1.4826 * np.median(np.abs(price - np.median(price)))
y = (price - np.median(price)) / scale
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
truth = torch.tensor((clean - np.median(price)) / scale, dtype=torch.float32)

net = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
sched = torch.optim.lr_scheduler.StepLR(opt, 8, 0.3)
huber = nn.HuberLoss(delta=0.3)
for epoch in range(24):
    s = 0
    for b in torch.randperm(3200).split(64):
        loss = huber(net(X[b]).squeeze(1), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item()
    sched.step()
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1:2d} huber {s / 50:.4f}")
with torch.no_grad():
    err = (net(X[3200:]).squeeze(1) - truth[3200:])
print(f"r2_of_clean_prices {1 - err.pow(2).mean().item() / truth[3200:].var().item():.4f}")
