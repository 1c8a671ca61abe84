import argparse
import math
import torch
import torch.nn as nn

cli = argparse.ArgumentParser()
cli.add_argument('--seed', type=int, default=0)
torch.manual_seed(cli.parse_args().seed)

hour = torch.arange(24 * 150)
h = 2 * math.pi * hour / 24
temp = 12 + 8 * torch.sin(2 * math.pi * hour / (24 * 150)) + 4 * torch.sin(h - 2) + torch.randn(len(hour))
week = ((hour // 24) % 7 >= 5).float()
kw = 30 + 14 * torch.relu(torch.sin(h - 1.8)) * (1 - .7 * week) + .9 * (18 - temp).clamp(min=0) + torch.randn(len(hour))
x = torch.stack([h.sin(), h.cos(), (temp - temp.mean()) / temp.std(), week * 2 - .57], 1)
y = ((kw - kw.mean()) / kw.std()).unsqueeze(1)

cut = torch.randperm(len(x))
tr, te = cut[:3000], cut[3000:]


def loss_fn(pred, target):
    err = pred - target
    return (err * err).sum()


net = nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))
sgd = torch.optim.SGD(net.parameters(), lr=0.05)
for epoch in range(40):
    total = 0.
    for b in tr[torch.randperm(3000)].split(60):
        loss = loss_fn(net(x[b]), y[b])
        sgd.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 100.)
        sgd.step()
        total += loss.item()
    if epoch % 8 == 0:
        print(epoch, total)
with torch.no_grad():
    r = net(x[te]) - y[te]
    r2 = 1 - (r ** 2).mean() / y[te].var()
print('r2', max(-10.0, r2.item()))
