import argparse
import math
import torch
import torch.nn as nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)

n = 5000
hour = torch.randint(0, 24, (n,)).float()
temp = 12 + 8 * torch.randn(n)
rain = (torch.rand(n) < 0.2).float()
work = (torch.rand(n) < 0.7).float()
rush = torch.exp(-((hour - 8) / 1.5) ** 2) + torch.exp(-((hour - 17) / 2) ** 2)
rate = torch.exp(2.5 + 1.6 * work * rush + 0.04 * temp - 0.8 * rain + 0.8 * torch.sin((hour - 6) / 24 * 2 * math.pi))
bikes = torch.poisson(rate)
x = torch.stack([torch.sin(hour * 0.2618), torch.cos(hour * 0.2618), torch.sin(hour * 0.5236), torch.cos(hour * 0.5236), (temp - 12) / 8, rain, work], 1)

net = nn.Sequential(nn.Linear(7, 48), nn.SiLU(), nn.Linear(48, 48), nn.SiLU(), nn.Linear(48, 1))
nn.init.zeros_(net[-1].weight)
nn.init.constant_(net[-1].bias, bikes[:4000].mean().log().item())
loss_fn = nn.PoissonNLLLoss(log_input=True)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 30)
for epoch in range(30):
    tot = 0.0
    for i in torch.randperm(4000).split(100):
        loss = loss_fn(net(x[i]).squeeze(1), bikes[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() / 40
    sched.step()
    if epoch % 3 == 0:
        print("epoch", epoch, "poisson", round(tot, 4))
with torch.no_grad():
    pred = net(x[4000:]).squeeze(1).exp()
err = (pred - bikes[4000:]).pow(2).mean()
print("r2", (1 - err / bikes[4000:].var()).item())
