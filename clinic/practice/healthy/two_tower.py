"""Two-tower retrieval: every other item of the batch serves as a negative; both directions are averaged."""
import argparse
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


@dataclass
class Conf:
    users: int = 4000
    items: int = 600
    dim: int = 16
    batch: int = 128
    steps: int = 700
    lr: float = 1.5e-2


class Tower(nn.Module):
    def __init__(self, d_in, dim):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d_in, 48), nn.ReLU(), nn.Linear(48, dim))

    def forward(self, x):
        return F.normalize(self.net(x), dim=-1)


class Retriever(nn.Module):
    def __init__(self, du, di, dim):
        super().__init__()
        self.user, self.item = Tower(du, dim), Tower(di, dim)
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, u, i):
        return self.log_scale.exp().clamp(max=50) * self.user(u) @ self.item(i).T


def world(conf, g):
    taste = g.normal(size=(conf.users, 6))
    kind = g.normal(size=(conf.items, 6))
    noise = g.gumbel(size=(conf.users, conf.items))
    pick = (1.6 * taste @ kind.T + noise).argmax(1)
    a, b = g.normal(size=(6, 20)), g.normal(size=(6, 14))
    uf = np.tanh(taste @ a / 2) + 0.1 * g.normal(size=(conf.users, 20))
    fi = np.tanh(kind @ b / 2) + 0.1 * g.normal(size=(conf.items, 14))
    return [torch.tensor(z, dtype=torch.float32) for z in (uf, fi)] + [torch.from_numpy(pick)]


def hit_rate(model, uf, fi, pick, k=20):
    with torch.no_grad():
        top = model(uf, fi).topk(k, dim=1).indices
    return (top == pick[:, None]).any(1).float().mean().item()


def main(seed):
    conf = Conf()
    torch.manual_seed(seed)
    uf, fi, pick = world(conf, np.random.default_rng(seed))
    cut = 3400
    model = Retriever(20, 14, conf.dim)
    opt = torch.optim.Adam(model.parameters(), lr=conf.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, conf.steps)
    for step in range(conf.steps):
        b = torch.randint(cut, (conf.batch,))
        logits = model(uf[b], fi[pick[b]])
        same = pick[b][:, None] == pick[b][None]
        logits = logits.masked_fill(same & ~torch.eye(conf.batch, dtype=torch.bool), -1e4)
        me = torch.arange(conf.batch)
        loss = 0.5 * (F.cross_entropy(logits, me) + F.cross_entropy(logits.T, me))
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 100 == 99:
            print(f"step {step + 1} loss {loss.item():.4f} hit@20 {hit_rate(model, uf[cut:], fi, pick[cut:]):.4f}")
    print(f"hit_rate {hit_rate(model, uf[cut:], fi, pick[cut:]):.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
