import argparse

import torch
import torch.nn.functional as F
from torch import nn


class Quantizer(nn.Module):
    def __init__(self, codes, dim):
        super().__init__()
        self.book = nn.Embedding(codes, dim)

    def forward(self, z):
        d = torch.cdist(z, self.book.weight)
        q = self.book(d.argmin(1))
        loss = F.mse_loss(q, z.detach()) + 1.0 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss


class VQ(nn.Module):
    def __init__(self, dim=4, codes=32):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(12, 48), nn.ReLU(), nn.Linear(48, dim))
        self.vq = Quantizer(codes, dim)
        self.dec = nn.Sequential(nn.Linear(dim, 48), nn.ReLU(), nn.Linear(48, 12))

    def forward(self, x):
        q, loss = self.vq(self.enc(x))
        return self.dec(q), loss


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1200)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    means = torch.randn(6, 12) * 1.5
    x = means[torch.randint(6, (4000,))] + 0.3 * torch.randn(4000, 12)
    x = (x - x.mean(0)) / x.std(0)
    net = VQ()
    with torch.no_grad():
        z = net.enc(x[:32])
        net.vq.book.weight.copy_(z)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.steps)
    for step in range(args.steps):
        xb = x[torch.randint(3500, (128,))]
        out, commit = net(xb)
        loss = F.mse_loss(out, xb) + commit
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 120 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        r2 = 1 - F.mse_loss(net(x[3500:])[0], x[3500:]) / x[3500:].var()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    main()
