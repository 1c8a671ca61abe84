# mixture density network for a relation with several answers (x -> y, turned around)
import argparse
import math
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
y = torch.rand(4000, 1)
x = y + 0.3 * torch.sin(2 * math.pi * y) + 0.05 * torch.randn(4000, 1)
x, y = (x - 0.5) * 3, (y - 0.5) * 3
K = 4
net = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 3 * K))


def nll(x, y):
    logit, mean, log_sd = net(x).chunk(3, 1)
    log_sd = log_sd.clamp(-4, 2)
    logp = -0.5 * ((y - mean) / log_sd.exp()) ** 2 - log_sd - 0.5 * math.log(2 * math.pi)
    return -(torch.log_softmax(logit, 1) + logp).logsumexp(1).mean()


opt = torch.optim.Adam(net.parameters(), lr=1e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 24)
for epoch in range(24):
    s = 0.0
    for b in torch.randperm(3200).split(64):
        loss = nll(x[b], y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item()
    sched.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} nll {s / 50:.4f}")
with torch.no_grad():
    print(f"log_likelihood {-nll(x[3200:], y[3200:]).item():.4f}")
