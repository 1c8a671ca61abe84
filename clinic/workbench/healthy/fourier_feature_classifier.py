"""Random Fourier features with a trained linear head (kernel approximation baseline)."""
import argparse
import math

import torch
import torch.nn as nn


class RandomFeatures(nn.Module):
    def __init__(self, n_in, n_features, scale):
        super().__init__()
        self.projection = nn.Linear(n_in, n_features)
        nn.init.normal_(self.projection.weight, std=scale)
        nn.init.uniform_(self.projection.bias, 0, 2 * math.pi)
        for p in self.projection.parameters():
            p.requires_grad_(False)

    def forward(self, x):
        return math.sqrt(2) * torch.cos(self.projection(x))


def samples(n, gen):
    x = torch.randn(n, 3, generator=gen)
    s = x[:, 0] * x[:, 1] + torch.sin(1.5 * x[:, 2])
    return x, (s > -0.5).long() + (s > 0.5).long()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--features", type=int, default=256)
    ap.add_argument("--scale", type=float, default=0.8)
    ap.add_argument("--steps", type=int, default=1500)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed + 9)
    x, y = samples(20000, gen)
    xv, yv = samples(2000, gen)
    model = nn.Sequential(RandomFeatures(3, args.features, args.scale), nn.Linear(args.features, 3))
    opt = torch.optim.Adam(model[1].parameters(), lr=2e-2)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, total_iters=args.steps)
    for step in range(1, args.steps + 1):
        i = torch.randint(0, len(x), (128,), generator=gen)
        loss = nn.functional.cross_entropy(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 300 == 0:
            with torch.no_grad():
                acc = (model(xv).argmax(1) == yv).float().mean().item()
            print(f"step {step} loss {loss.item():.4f} acc {acc:.3f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
