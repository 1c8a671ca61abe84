import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
cfg = parser.parse_args()
torch.manual_seed(cfg.seed)
S = 12
gy, gx = torch.meshgrid(torch.linspace(-1, 1, S), torch.linspace(-1, 1, S), indexing='ij')
r = (gx ** 2 + gy ** 2).sqrt()


def wafers(n):
    y = torch.randint(0, 4, (n,))
    p = .06 * torch.ones(n, S, S)
    c = (torch.rand(n, 2) - .5)
    p[y == 1] += .5 * (r > .75)                                      # edge ring
    p[y == 2] += .6 * (r < .4)                                       # center
    spot = ((gx - c[:, 0, None, None]) ** 2 + (gy - c[:, 1, None, None]) ** 2) < .12
    p = p + .6 * spot * (y == 3)[:, None, None]                      # local
    m = torch.bernoulli(p.clamp(0, 1)) * (r < 1.05)
    return (m - .15) / .36, y


X, Y = wafers(3200)
Xv, Yv = wafers(1000)
net = nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 4))
opt = torch.optim.SGD(net.parameters(), lr=0.008, momentum=0.5)


def epoch(batch_size=3200):
    for b in torch.randperm(len(X)).split(batch_size):
        loss = nn.functional.cross_entropy(net(X[b]), Y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


for e in range(60):
    l = epoch()
    if e % 10 == 9:
        print('epoch', e + 1, 'loss', round(l, 4))
with torch.no_grad():
    print('accuracy', (net(Xv).argmax(1) == Yv).float().mean().item())
