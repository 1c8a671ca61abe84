# Damped oscillator u'' + 0.4 u' + 4 u = 0, u(0)=1, u'(0)=0, from the equation alone.
import argparse
import math
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=1500)
args = parser.parse_args()
torch.manual_seed(args.seed)


class Field(nn.Module):
    def __init__(self, h=40):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(1, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 1))

    def forward(self, t):
        return 1 + t**2 * self.f(t)


def residual(u, t):
    y = u(t)
    (d1,) = torch.autograd.grad(y.sum(), t, create_graph=True)
    (d2,) = torch.autograd.grad(d1.sum(), t, create_graph=True)
    return d2 + 0.4 * d1 + 4 * y


u = Field()
opt = torch.optim.Adam(u.parameters(), lr=5e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.steps)
for k in range(args.steps):
    t = (torch.rand(64, 1) * 3).requires_grad_()
    loss = residual(u, t).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if k % 300 == 0:
        print(f"{k} residual {loss.item():.5f}")
t = torch.linspace(0, 3, 200).unsqueeze(1)
w = math.sqrt(4 - 0.04)
exact = torch.exp(-0.2 * t) * (torch.cos(w * t) + 0.2 / w * torch.sin(w * t))
with torch.no_grad():
    err = (u(t) - exact).square().mean() / exact.var()
print(f"r2 {1 - err.item():.4f}")
