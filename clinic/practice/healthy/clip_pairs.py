"""CLIP-like alignment of two generated modalities with a learned temperature."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F


class TwoTowers(nn.Module):
    def __init__(self, da, db, dim=16):
        super().__init__()
        self.a = nn.Sequential(nn.Linear(da, 64), nn.GELU(), nn.Linear(64, dim))
        self.b = nn.Sequential(nn.Linear(db, 64), nn.GELU(), nn.Linear(64, dim))
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, xa, xb):
        za, zb = F.normalize(self.a(xa), dim=-1), F.normalize(self.b(xb), dim=-1)
        return self.log_scale.exp() * za @ zb.t()


def symmetric_loss(s):
    return -0.5 * (F.log_softmax(s, dim=0).diagonal() + F.log_softmax(s, dim=1).diagonal()).mean()


class World:
    def __init__(self, seed, latent=6, da=30, db=20):
        self.g = torch.Generator().manual_seed(seed)
        self.wa, self.wb = torch.randn(latent, da, generator=self.g), torch.randn(latent, db, generator=self.g)
        self.latent = latent

    def sample(self, n):
        z = torch.randn(n, self.latent, generator=self.g)
        a = torch.tanh(0.5 * z @ self.wa) + 0.25 * torch.randn(n, self.wa.shape[1], generator=self.g)
        b = torch.cos(0.5 * z @ self.wb + 0.5) + 0.25 * torch.randn(n, self.wb.shape[1], generator=self.g)
        return a / 0.7, b / 0.7


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=900)
    ap.add_argument("--batch", type=int, default=128)
    ap.add_argument("--lr", type=float, default=6e-3)
    o = ap.parse_args()
    torch.manual_seed(o.seed)
    world, model = World(o.seed), TwoTowers(30, 20)
    opt = torch.optim.AdamW(model.parameters(), lr=o.lr, weight_decay=1e-3)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, o.lr, total_steps=o.steps, pct_start=0.1)
    for step in range(o.steps):
        loss = symmetric_loss(model(*world.sample(o.batch)))
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 90 == 0:
            print(f"{step} loss {loss.item():.4f} scale {model.log_scale.exp().item():.2f}")
    with torch.no_grad():
        hits = [(model(*world.sample(200)).argmax(1) == torch.arange(200)).float().mean() for _ in range(10)]
    print(f"top1_of_200 {torch.stack(hits).mean().item():.4f}")
