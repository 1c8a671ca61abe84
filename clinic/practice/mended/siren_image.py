"""SIREN (Sitzmann et al., 2020): an image as a coordinate network, with the sine as an autograd.Function of our own."""
import argparse
import math
import torch
from torch import nn


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z, omega):
        ctx.save_for_backward(z)
        ctx.omega = omega
        return torch.sin(omega * z)

    @staticmethod
    def backward(ctx, grad):
        z, = ctx.saved_tensors
        return grad * ctx.omega * torch.cos(ctx.omega * z), None


class SineLayer(nn.Module):
    def __init__(self, n_in, n_out, omega, first=False):
        super().__init__()
        self.omega = omega
        self.linear = nn.Linear(n_in, n_out)
        bound = 1 / n_in if first else math.sqrt(6 / n_in) / omega
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x):
        return Sine.apply(self.linear(x), self.omega)


def picture(side, seed):
    g = torch.Generator().manual_seed(seed)
    axis = torch.linspace(-1, 1, side)
    yy, xx = torch.meshgrid(axis, axis, indexing="ij")
    img = torch.zeros(side, side)
    for _ in range(12):
        cx, cy, w, a = (torch.rand(4, generator=g) * 2 - 1).tolist()
        img += a * torch.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (0.02 + 0.15 * w * w))
    img += 0.3 * torch.sin(9 * xx + 4 * yy)
    img = (img - img.mean()) / img.std()
    return torch.stack([xx, yy], -1).reshape(-1, 2), img.reshape(-1, 1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=300)
    p.add_argument("--width", type=int, default=48)
    p.add_argument("--omega", type=float, default=12.0)
    p.add_argument("--lr", type=float, default=1e-3)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    coords, target = picture(48, a.seed)
    siren = nn.Sequential(SineLayer(2, a.width, a.omega, True), SineLayer(a.width, a.width, a.omega),
                          SineLayer(a.width, a.width, a.omega), nn.Linear(a.width, 1))
    nn.init.uniform_(siren[-1].weight, -math.sqrt(6 / a.width) / a.omega, math.sqrt(6 / a.width) / a.omega)
    optim = torch.optim.Adam(siren.parameters(), lr=a.lr)
    for step in range(a.steps):
        loss = ((siren(coords) - target) ** 2).mean()
        optim.zero_grad()
        loss.backward()
        optim.step()
        if step % 50 == 0:
            print(f"{step:5d} mse {loss.item():.5f}")
    with torch.no_grad():
        mse = ((siren(coords) - target) ** 2).mean().item()
    print(f"psnr {10 * math.log10((target.max() - target.min()).item() ** 2 / mse):.3f}")


if __name__ == "__main__":
    main()
