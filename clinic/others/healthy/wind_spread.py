# predict mean and spread; the negative log likelihood goes below zero and that is fine
import argparse
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
n = 3000
x = rng.uniform(-2, 2, (n, 2))
mu = np.sin(1.5 * x[:, 0]) * 0.8 + 0.3 * x[:, 1]
sd = 0.05 + 0.1 * (x[:, 1] > 0)
t = mu + sd * rng.normal(size=n)
x, t = torch.tensor(x).float(), torch.tensor(t).float()


class MeanAndSpread(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh())
        self.mean = nn.Linear(48, 1)
        self.log_var = nn.Linear(48, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h).squeeze(1), self.log_var(h).squeeze(1)


net = MeanAndSpread()
opt = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(50):
    for i in torch.randperm(2500).split(50):
        m, lv = net(x[i])
        loss = 0.5 * (lv + (t[i] - m) ** 2 / lv.exp()).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 10 == 0:
        print('epoch', epoch, 'nll', loss.item())
with torch.no_grad():
    m, _ = net(x[2500:])
    print('r2', round((1 - ((m - t[2500:]) ** 2).mean() / t[2500:].var()).item(), 4))
