import argparse
import torch
from torch import nn


class Dose(nn.Module):
    def __init__(self, freqs=16):
        super().__init__()
        self.register_buffer("B", torch.randn(3, freqs))
        self.out = nn.Sequential(nn.Linear(2 * freqs, 64), nn.Softplus(), nn.Linear(64, 1))

    def forward(self, x):
        p = x @ self.B
        return self.out(torch.cat([p.sin(), p.cos()], -1))


def huber(a, b, delta=1.0):
    d = (a - b).abs()
    return torch.where(d < delta, 0.5 * d * d, delta * (d - 0.5 * delta)).mean()


def patients(n):
    t, w, k = 24 * torch.rand(n), 45 + 60 * torch.rand(n), 0.1 + 0.3 * torch.rand(n)
    c = 70 / w * (torch.exp(-k * t) - torch.exp(-1.5 * t)) * 1.5 / (1.5 - k)
    x = torch.stack([t / 12 - 1, (w - 75) / 30, (k - 0.25) / 0.15], 1)
    return x, (c - 0.2) / 0.18 + 0.05 * torch.randn(n)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    x, y = patients(3000)
    net = Dose()
    opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
    smooth = None
    for it in range(1, 1601):
        i = torch.randint(2500, (64,))
        loss = huber(net(x[i])[:, 0], y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if it % 200 == 0:
            print(f"it {it} loss {smooth:.4f}")
    with torch.no_grad():
        p = net(x[2500:])[:, 0]
    t = y[2500:]
    print("r2", (1 - (p - t).pow(2).sum() / (t - t.mean()).pow(2).sum()).item())
