"""A network of sines stores a second of sound (full batch, no noise)."""
import argparse
import math
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)


class Sine(nn.Module):
    def __init__(self, i, o, omega, first=False):
        super().__init__()
        self.lin, self.omega = nn.Linear(i, o), omega
        bound = 1 / i if first else math.sqrt(6 / i) / omega
        nn.init.uniform_(self.lin.weight, -bound, bound)

    def forward(self, x):
        return torch.sin(self.omega * self.lin(x))


net = nn.Sequential(Sine(1, 48, 40, True), Sine(48, 48, 15), nn.Linear(48, 1))
t = torch.linspace(-1, 1, 400).unsqueeze(1)
wave = torch.sin(25 * t) * torch.exp(-2 * t ** 2) + 0.4 * torch.sin(60 * t + 1) * (t > -0.3)
wave = wave / wave.std()
train = torch.arange(400) % 4 != 1
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 1200)
for i in range(1200):
    loss = (net(t[train]) - wave[train]).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if i % 200 == 199:
        print(i + 1, f"{loss.item():.6f}")
with torch.no_grad():
    r2 = 1 - (net(t[~train]) - wave[~train]).pow(2).mean().item() / wave[~train].var().item()
print(f"r2 {r2:.4f}")
