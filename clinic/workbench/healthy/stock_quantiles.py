import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

n = 5000
x = torch.randn(n, 5)
spread = .2 + .5 * torch.sigmoid(2 * x[:, 1])
mean = 1.2 * torch.sin(x[:, 0]) + .6 * x[:, 2] * (x[:, 3] > 0).float()
y = mean + spread * torch.randn(n)
taus = torch.tensor([.1, .5, .9])


def pinball(q, y):
    e = y.unsqueeze(1) - q
    return torch.maximum(taus * e, (taus - 1) * e).sum(1).mean()


net = nn.Sequential(nn.Linear(5, 48), nn.SiLU(), nn.Linear(48, 24), nn.SiLU(), nn.Linear(24, 3))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 15)
for epoch in range(15):
    for i in torch.randperm(4000).split(50):
        loss = pinball(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
with torch.no_grad():
    q = net(x[4000:])
    naive = torch.quantile(y[:4000], taus).expand(1000, 3)
    skill = 1 - pinball(q, y[4000:]) / pinball(naive, y[4000:])
print('skill', skill.item())
