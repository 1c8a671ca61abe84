"""Remaining wear from a vibration window: dilated causal convolutions with residual links."""
import argparse
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

CFG = dict(channels=16, levels=4, kernel=3, lr=0.02, momentum=0.9, batch=64, epochs=10, max_norm=0.01)


def windows(n, rng, length=48):
    wear = rng.uniform(0, 1, n)
    t = np.arange(length)[None]
    carrier = np.sin(2 * np.pi * (0.08 + 0.03 * wear[:, None]) * t + rng.uniform(0, 6.28, (n, 1)))
    impact = ((t + rng.integers(0, 12, (n, 1))) % 12 == 0) * (1.6 * wear[:, None])
    x = carrier + impact + 0.35 * rng.normal(size=(n, length))
    return torch.tensor(x, dtype=torch.float32).unsqueeze(1), torch.tensor((wear - 0.5) / 0.29, dtype=torch.float32)


class CausalBlock(nn.Module):
    def __init__(self, cin, cout, k, dilation):
        super().__init__()
        self.pad = (k - 1) * dilation
        self.conv = nn.Conv1d(cin, cout, k, dilation=dilation)
        self.skip = nn.Conv1d(cin, cout, 1) if cin != cout else nn.Identity()

    def forward(self, x):
        return self.skip(x) + F.relu(self.conv(F.pad(x, (self.pad, 0))))


class TCN(nn.Module):
    def __init__(self, channels, levels, kernel):
        super().__init__()
        self.blocks = nn.Sequential(*[CausalBlock(1 if i == 0 else channels, channels, kernel, 2 ** i)
                                      for i in range(levels)])
        self.head = nn.Linear(channels, 1)

    def forward(self, x):
        return self.head(self.blocks(x).mean(-1)).squeeze(-1)


class Meter:
    def __init__(self):
        self.v, self.n = 0.0, 0

    def add(self, v, n=1):
        self.v += v * n
        self.n += n

    @property
    def mean(self):
        return self.v / max(1, self.n)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, y = windows(4000, rng)
    xv, yv = windows(1000, rng)
    model = TCN(CFG["channels"], CFG["levels"], CFG["kernel"])
    opt = torch.optim.SGD(model.parameters(), lr=CFG["lr"], momentum=CFG["momentum"])
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, CFG["epochs"])
    start = time.time()
    for epoch in range(CFG["epochs"]):
        meter = Meter()
        model.train()
        for idx in torch.randperm(len(x)).split(CFG["batch"]):
            loss = F.mse_loss(model(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), CFG["max_norm"])
            opt.step()
            meter.add(loss.item(), len(idx))
        sched.step()
        model.eval()
        with torch.no_grad():
            err = F.mse_loss(model(xv), yv).item()
        print(f"{epoch:3d}/{CFG['epochs']} train {meter.mean:.4f} valid {err:.4f} {time.time() - start:.1f}s")
    print(f"r2 {1 - err / yv.var().item():.4f}")


if __name__ == "__main__":
    main()
