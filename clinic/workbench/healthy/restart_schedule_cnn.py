"""1-d CNN for waveform type under a schedule with warm restarts; loss is summed and rescaled by hand."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def waveforms(n, rng):
    t = np.linspace(0, 1, 48)
    y = rng.integers(0, 4, n)
    f, p = rng.uniform(2, 4, (n, 1)), rng.uniform(0, 1, (n, 1))
    ph = (f * t + p) % 1.0
    shapes = [np.sin(2 * np.pi * ph) * 1.4, np.sign(ph - 0.5), (ph * 2 - 1) * 1.7, (np.abs(ph - 0.5) * 4 - 1) * 1.7]
    x = np.choose(y[:, None], shapes) + rng.normal(0, 0.25, (n, 48))
    return torch.tensor(x[:, None], dtype=torch.float32), torch.from_numpy(y)


class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv1d(1, 16, 5)
        self.b = nn.Conv1d(16, 24, 5)
        self.fc = nn.Linear(24 * 2, 4)

    def forward(self, x):
        h = F.leaky_relu(self.b(F.max_pool1d(F.leaky_relu(self.a(x)), 2)))
        return self.fc(torch.cat([h.mean(-1), h.amax(-1)], 1))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--cycles", type=int, default=3)
    ap.add_argument("--cycle", type=int, default=250)
    ap.add_argument("--batch", type=int, default=64)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x, y = waveforms(8000, rng)
    xv, yv = waveforms(1000, rng)
    net = WaveNet()
    opt = torch.optim.SGD(net.parameters(), lr=0.1 / args.batch, momentum=0.9, nesterov=True)
    sched = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=args.cycle)
    for step in range(1, args.cycles * args.cycle + 1):
        i = torch.randint(0, len(x), (args.batch,))
        loss = F.cross_entropy(net(x[i]), y[i], reduction="sum")
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 125 == 0:
            with torch.no_grad():
                acc = (net(xv).argmax(1) == yv).float().mean().item()
            print(f"step {step} loss {loss.item():.2f} lr {sched.get_last_lr()[0]:.5f} acc {acc:.3f}")
        sched.step()
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
