"""Generator against discriminator on points scattered round a ring."""
import argparse
import math
import torch
from torch import nn


def real_points(n):
    angle = torch.rand(n) * 2 * math.pi
    r = 1.0 + 0.05 * torch.randn(n)
    return torch.stack([r * angle.cos() + 1.5, r * angle.sin() - 0.5], 1)


def mlp(*sizes):
    parts = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        parts += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*parts[:-1])


class GAN:
    def __init__(self, nz=4, lr=1e-3):
        self.nz = nz
        self.G, self.D = mlp(nz, 48, 48, 2), mlp(2, 48, 48, 1)
        self.opt_g = torch.optim.Adam(self.G.parameters(), lr=lr, betas=(0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.D.parameters(), lr=lr, betas=(0.5, 0.99))
        self.bce = nn.BCEWithLogitsLoss()

    def generate(self, n):
        return self.G(torch.randn(n, self.nz))

    def step(self, n=128):
        real, fake = real_points(n), self.generate(n)
        self.opt_d.zero_grad()
        d_loss = self.bce(self.D(real), torch.ones(n, 1)) + self.bce(self.D(fake.detach()), torch.zeros(n, 1))
        d_loss.backward()
        self.opt_d.step()

        self.opt_g.zero_grad()
        g_loss = self.bce(self.D(fake), torch.ones(n, 1))
        g_loss.backward()
        self.opt_g.step()
        return d_loss.item(), g_loss.item()


@torch.no_grad()
def coverage(gan, n=800):
    """share of real points with a generated one within 0.2, times share of generated ones near the ring"""
    a, b = real_points(n), gan.generate(n)
    d = torch.cdist(a, b)
    return ((d.min(1).values < 0.2).float().mean() * (d.min(0).values < 0.2).float().mean()).item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    gan = GAN()
    for it in range(1500):
        d, g = gan.step()
        if it % 300 == 0:
            print(f"{it:5d} D {d:.3f} G {g:.3f}")
    print(f"coverage {coverage(gan):.4f}")
