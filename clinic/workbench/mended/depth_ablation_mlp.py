"""Depth ablation on two interleaved rings of points in eight dimensions."""
import argparse

import torch
import torch.nn as nn


def rings(n, gen):
    z = torch.randn(n, 8, generator=gen)
    r = z.norm(dim=1)
    a = torch.atan2(z[:, 0], z[:, 1])
    y = ((r - r.mean()) / r.std() + 0.8 * torch.sin(2 * a) > 0).long()
    return z, y


def build(depth, width):
    layers = [nn.Linear(8, width), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 2))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--depth", type=int, default=9)
    ap.add_argument("--width", type=int, default=40)
    ap.add_argument("--steps", type=int, default=900)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed)
    x, y = rings(40000, gen)
    xt, yt = rings(2000, gen)
    net = build(args.depth, args.width)
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            nn.init.zeros_(m.bias)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    avg = 0.0
    for step in range(1, args.steps + 1):
        i = torch.randint(0, len(x), (64,), generator=gen)
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        avg += loss.item() / 150
        if step % 150 == 0:
            with torch.no_grad():
                acc = (net(xt).argmax(1) == yt).float().mean().item()
            print(f"depth {args.depth} step {step} loss {avg:.4f} acc {acc:.3f}")
            avg = 0.0
    with torch.no_grad():
        print(f"accuracy {(net(xt).argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
