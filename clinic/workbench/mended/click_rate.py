import argparse
import torch
import torch.nn as nn

p = argparse.ArgumentParser()
p.add_argument('--seed', type=int, default=0)
torch.manual_seed(p.parse_args().seed)

BATCH = 64
STEPS = 3000
n = 6000
x = torch.randn(n, 10)
logit = .5 * x[:, 0] - .4 * x[:, 1] + .4 * torch.tanh(x[:, 2] * x[:, 3]) + .2
prob = torch.sigmoid(logit)
y = torch.bernoulli(prob)
tx, ty, vx, vp = x[:5000], y[:5000], x[5000:], prob[5000:]

net = nn.Sequential(nn.Linear(10, 16), nn.Tanh(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.25)
bce = nn.BCEWithLogitsLoss()
for step in range(STEPS):
    i = torch.randint(0, 5000, (BATCH,))
    loss = bce(net(tx[i]).squeeze(1), ty[i])
    opt.zero_grad()
    loss.backward()
    opt.step()

with torch.no_grad():
    q = torch.sigmoid(net(vx).squeeze(1))
# how well do the estimated rates follow the true ones
print('r2', 1 - ((q - vp) ** 2).mean().item() / vp.var().item())
