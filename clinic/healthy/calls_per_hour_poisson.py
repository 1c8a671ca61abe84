import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
g = torch.Generator().manual_seed(4)
hour = torch.rand(3000, generator=g) * 24
weekend = (torch.rand(3000, generator=g) < 2 / 7).float()
mean = torch.exp(1.2 + 0.9 * torch.sin((hour - 8) / 24 * 6.283) - 0.7 * weekend)
calls = torch.poisson(mean, generator=g)
x = torch.stack([torch.sin(hour / 24 * 6.283), torch.cos(hour / 24 * 6.283), weekend - 0.3], 1)
net = nn.Sequential(nn.Linear(3, 24), nn.Tanh(), nn.Linear(24, 1), nn.Flatten(0))
criterion = nn.PoissonNLLLoss(log_input=True)
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.88)
for epoch in range(20):
    for rows in torch.randperm(2500).split(50):
        loss = criterion(net(x[rows]), calls[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 4 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    error = (net(x[2500:]) - mean[2500:].log()).pow(2).mean()
print("R2", 1 - (error / mean[2500:].log().var()).item())
