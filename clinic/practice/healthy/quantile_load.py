"""Ten, fifty and ninety per cent quantiles of tomorrow's load at the same hour; pinball loss."""
import argparse
import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed + 9)

HOURS, Q = 9000, torch.tensor([0.1, 0.5, 0.9])
t = np.arange(HOURS)
level = np.zeros(HOURS)
for i in range(1, HOURS):
    level[i] = 0.97 * level[i - 1] + rng.normal(0, 0.15)
load = np.sin(2 * np.pi * t / 24) + 0.3 * ((t // 24) % 7 >= 5) + level + (0.2 + 0.2 * (t % 24 > 12)) * rng.normal(size=HOURS)
load = (load - load[:7000].mean()) / load[:7000].std()

idx = np.arange(48, HOURS - 24)
X = np.stack([np.concatenate([load[i - 24:i], [np.sin(2 * np.pi * i / 24), np.cos(2 * np.pi * i / 24),
                              float((i // 24) % 7 >= 5)]]) for i in idx]).astype(np.float32)
y = load[idx + 24].astype(np.float32)
X, y = torch.from_numpy(X), torch.from_numpy(y)
cut = 6800


class Quantiles(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(d, 32), nn.SiLU(), nn.Linear(32, 3))

    def forward(self, x):
        o = self.trunk(x)
        mid = o[:, 1:2]
        return torch.cat([mid - nn.functional.softplus(o[:, :1]), mid, mid + nn.functional.softplus(o[:, 2:])], 1)


def pinball(pred, target):
    d = target[:, None] - pred
    return torch.maximum(Q * d, (Q - 1) * d).mean()


net = Quantiles(X.shape[1])
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 8)
base = pinball(torch.quantile(y[:cut], Q)[None], y[cut:]).item()
for epoch in range(8):
    net.train()
    acc = 0.0
    for b in torch.randperm(cut).split(100):
        loss = pinball(net(X[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        acc += loss.item() * len(b) / cut
    sched.step()
    net.eval()
    with torch.no_grad():
        p = net(X[cut:])
        v = pinball(p, y[cut:]).item()
        cover = ((y[cut:] > p[:, 0]) & (y[cut:] < p[:, 2])).float().mean().item()
    print(f"epoch {epoch}: pinball {acc:.4f} valid {v:.4f} cover {cover:.3f}")
print(f"skill {1 - v / base:.4f}")
