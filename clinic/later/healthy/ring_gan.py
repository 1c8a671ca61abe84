import argparse
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)


def real(n):
    a = torch.rand(n) * 6.2832
    r = 1.0 + 0.08 * torch.randn(n)
    return torch.stack([r * a.cos(), r * a.sin()], 1)


G = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
D = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2), nn.Linear(48, 1))
og = torch.optim.Adam(G.parameters(), lr=5e-4, betas=(0.0, 0.99))
od = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.0, 0.99))
slower = [torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.1, 1500) for o in (og, od)]
ones, zeros = torch.ones(128, 1), torch.zeros(128, 1)
for step in range(1500):
    fake = G(torch.randn(128, 2))
    loss_d = bce(D(real(128)), ones) + bce(D(fake.detach()), zeros)
    od.zero_grad()
    loss_d.backward()
    od.step()
    loss_g = bce(D(G(torch.randn(128, 2))), ones)
    og.zero_grad()
    loss_g.backward()
    og.step()
    for sched in slower:
        sched.step()
    if step % 250 == 249:
        print(f"{step + 1} D {loss_d.item():.3f} G {loss_g.item():.3f}")
with torch.no_grad():
    s = G(torch.randn(2000, 2))
radius = (s.norm(dim=1) - 1).abs().mean().item()
sector = torch.histc(torch.atan2(s[:, 1], s[:, 0]), 12, -3.1416, 3.1416) / 2000
cover = torch.minimum(sector * 12, torch.ones(12)).mean().item()
print(f"quality {cover - radius:.4f}")
