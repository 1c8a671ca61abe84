import argparse

import torch
import torch.nn.functional as F
from torch import nn


def scenes(n, size=16):
    g = torch.arange(size).float()
    cy, cx = torch.rand(n, 1, 1) * 10 + 3, torch.rand(n, 1, 1) * 10 + 3
    r = torch.rand(n, 1, 1) * 1.0 + 1.3
    mask = ((g[None, :, None] - cy) ** 2 + (g[None, None, :] - cx) ** 2 < r ** 2).float()
    return (1.2 * mask + 0.4 * torch.randn(n, size, size))[:, None], mask[:, None]


class TinyUNet(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.down1 = nn.Conv2d(1, c, 3, padding=1)
        self.down2 = nn.Conv2d(c, 2 * c, 3, padding=1)
        self.up = nn.ConvTranspose2d(2 * c, c, 2, stride=2)
        self.out = nn.Conv2d(2 * c, 1, 3, padding=1)

    def forward(self, x):
        a = F.relu(self.down1(x))
        b = F.relu(self.down2(F.max_pool2d(a, 2)))
        return self.out(torch.cat([a, F.relu(self.up(b))], 1))


def dice(logits, mask):
    p = logits.sigmoid()
    return 1 - (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=350)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, m = scenes(1500)
    net = TinyUNet()
    opt = torch.optim.AdamW(net.parameters(), lr=4e-3)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 8e-3, total_steps=args.steps)
    for step in range(args.steps):
        idx = torch.randint(1200, (32,))
        logits = net(x[idx])
        loss = F.binary_cross_entropy_with_logits(logits, m[idx]) + dice(logits, m[idx]).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 35 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        p = net(x[1200:]) > 0
        t = m[1200:].bool()
        iou = (p & t).sum((1, 2, 3)) / (p | t).sum((1, 2, 3)).clamp(min=1)
    print(f"iou {iou.mean().item():.4f}")


if __name__ == "__main__":
    main()
