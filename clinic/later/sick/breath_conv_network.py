import argparse

import torch
import torch.nn.functional as F
from torch import nn


class TemporalConvNet(nn.Module):
    def __init__(self, channels=12):
        super().__init__()
        self.conv1 = nn.Conv1d(1, channels, 5, padding=2)
        self.conv2 = nn.Conv1d(channels, channels, 5, padding=4, dilation=2)
        self.head = nn.Linear(channels, 3)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        return self.head(x.mean(-1))


def recordings(n, g):
    y = torch.randint(3, (n,), generator=g)
    t = torch.linspace(0, 1, 40)
    rate = torch.tensor([2.0, 4.0, 7.0])[y] + 0.4 * torch.randn(n, generator=g)
    phase = 6.283 * torch.rand(n, 1, generator=g)
    x = torch.sin(6.283 * rate[:, None] * t + phase) + 0.5 * torch.randn(n, 40, generator=g)
    return x[:, None, :], y


class Engine:
    def __init__(self, model, lr, eps, steps):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.999), eps=eps)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, steps)

    def step(self, x, y):
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()


def main(opts):
    torch.manual_seed(opts.seed)
    g = torch.Generator().manual_seed(opts.seed)
    xtr, ytr = recordings(3000, g)
    xte, yte = recordings(600, g)
    engine = Engine(TemporalConvNet(), opts.lr, opts.eps, opts.steps)
    for i in range(opts.steps):
        idx = torch.randint(len(ytr), (64,), generator=g)
        loss = engine.step(xtr[idx], ytr[idx])
        if i % 70 == 0:
            print(f"iter {i} loss {loss:.4f}")
    with torch.no_grad():
        print(f"accuracy {(engine.model(xte).argmax(1) == yte).float().mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--eps", type=float, default=1.0)
    ap.add_argument("--steps", type=int, default=700)
    main(ap.parse_args())
