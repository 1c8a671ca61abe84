"""A non-saturating GAN on a noisy ring of radius 2; two optimizers, two losses."""
import argparse
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


def ring(n):
    a = torch.rand(n) * 2 * math.pi
    r = 2 + 0.1 * torch.randn(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1)


def net(i, o):
    return nn.Sequential(nn.Linear(i, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, o))


p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--steps", type=int, default=1300)
p.add_argument("--lr", type=float, default=1e-3)
a = p.parse_args()
torch.manual_seed(a.seed)
G, D = net(2, 2), net(2, 1)
og = torch.optim.Adam(G.parameters(), lr=a.lr, betas=(0.5, 0.9))
od = torch.optim.Adam(D.parameters(), lr=a.lr, betas=(0.5, 0.9))
for step in range(a.steps):
    real, fake = ring(128).requires_grad_(True), G(torch.randn(128, 2))
    score = D(real)
    penalty = torch.autograd.grad(score.sum(), real, create_graph=True)[0].pow(2).sum(1).mean()
    loss_d = F.softplus(-score).mean() + F.softplus(D(fake.detach())).mean() + 0.1 * penalty
    od.zero_grad()
    loss_d.backward()
    od.step()
    loss_g = F.softplus(-D(G(torch.randn(128, 2)))).mean()
    og.zero_grad()
    loss_g.backward()
    og.step()
    if step % 130 == 0:
        print(f"{step} d {loss_d.item():.4f} g {loss_g.item():.4f}")
with torch.no_grad():
    x = G(torch.randn(4000, 2))
    close = ((x.norm(dim=1) - 2).abs() < 0.35).float()
    sector = ((torch.atan2(x[:, 1], x[:, 0]) + math.pi) / (2 * math.pi) * 12).long().clamp(0, 11)
    cover = sum((close[sector == k].sum() > 80).float() for k in range(12)) / 12
print(f"quality {(close.mean() * cover).item():.4f}")
