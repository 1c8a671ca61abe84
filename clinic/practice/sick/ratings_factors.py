"""Matrix factorization of a ratings table (Koren et al. 2009) with biases, in PyTorch."""
import argparse
from dataclasses import dataclass
import torch
from torch import nn


@dataclass
class Hyper:
    users: int = 300
    items: int = 200
    rank: int = 6
    per_user: int = 60
    epochs: int = 40
    batch: int = 256
    lr: float = 0.01
    weight_decay: float = 2e-5


class Factors(nn.Module):
    def __init__(self, h, mean):
        super().__init__()
        self.mean = mean
        self.p, self.q = nn.Embedding(h.users, h.rank), nn.Embedding(h.items, h.rank)
        self.bu, self.bi = nn.Embedding(h.users, 1), nn.Embedding(h.items, 1)
        nn.init.constant_(self.p.weight, 0.1)
        nn.init.constant_(self.q.weight, 0.1)
        nn.init.zeros_(self.bu.weight)
        nn.init.zeros_(self.bi.weight)

    def forward(self, u, i):
        return self.mean + (self.p(u) * self.q(i)).sum(-1) + self.bu(u)[:, 0] + self.bi(i)[:, 0]


def table(h, g):
    a, b = torch.randn(h.users, 4, generator=g), torch.randn(h.items, 4, generator=g)
    full = 3 + 0.55 * a @ b.T + 0.3 * torch.randn(h.users, 1, generator=g) + 0.3 * torch.randn(1, h.items, generator=g)
    full = (full + 0.2 * torch.randn(full.shape, generator=g)).clamp(0, 6)
    picks = torch.stack([torch.randperm(h.items, generator=g)[:h.per_user] for _ in range(h.users)])
    u = torch.arange(h.users)[:, None].expand_as(picks).reshape(-1)
    i = picks.reshape(-1)
    order = torch.randperm(len(u), generator=g)
    u, i = u[order], i[order]
    return u, i, full[u, i]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    h = Hyper()
    u, i, r = table(h, torch.Generator().manual_seed(seed))
    cut = int(0.85 * len(r))
    model = Factors(h, r[:cut].mean().item())
    opt = torch.optim.Adam(model.parameters(), lr=h.lr, weight_decay=h.weight_decay)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, h.epochs)
    for epoch in range(h.epochs):
        sq = 0.0
        for idx in torch.randperm(cut).split(h.batch):
            loss = ((model(u[idx], i[idx]) - r[idx]) ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            sq += loss.item() * len(idx)
        sched.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} rmse {(sq / cut) ** 0.5:.4f}")
    with torch.no_grad():
        err = ((model(u[cut:], i[cut:]) - r[cut:]) ** 2).mean() / r[cut:].var()
    print(f"r2 {1 - err.item():.4f}")


main()
