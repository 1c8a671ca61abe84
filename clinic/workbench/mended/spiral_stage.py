import argparse
import math
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

# position of the stage -> which of two rails it sits on
n = 2400
rail = torch.randint(0, 2, (n,))
r = torch.rand(n).sqrt() * 2.0 + .2
ang = 3.0 * r + math.pi * rail
pts = torch.stack([r * ang.cos(), r * ang.sin()], 1) + .06 * torch.randn(n, 2)
pts = pts / pts.std(0)
x, y, xv, yv = pts[:2000], rail[:2000], pts[2000:], rail[2000:]

net = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
best, wait = 1e9, 0
patience = 4
min_delta = 0.0
for epoch in range(60):
    for i in torch.randperm(2000).split(40):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        v = nn.functional.cross_entropy(net(xv), yv).item()
    print('epoch', epoch, 'val', round(v, 4))
    if v < best - min_delta:
        best, wait = v, 0
    else:
        wait += 1
        if wait >= patience:
            break
with torch.no_grad():
    print('accuracy', (net(xv).argmax(1) == yv).float().mean().item())
