"""Two-tower retrieval: queries and items are matched against the other items of the batch."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F


class Tower(nn.Module):
    def __init__(self, n_in, dim=16):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(n_in, 48), nn.ReLU(), nn.Linear(48, dim))

    def forward(self, x):
        return F.normalize(self.f(x), dim=1)


def catalogue(n, gen, maps):
    z = torch.randn(n, 6, generator=gen)
    q = torch.tanh(z @ maps[0]) + 0.1 * torch.randn(n, 20, generator=gen)
    i = torch.sin(z @ maps[1]) + 0.1 * torch.randn(n, 14, generator=gen)
    return q, i


def recall_at_1(qt, it, q, i):
    with torch.no_grad():
        s = qt(q) @ it(i).T
    return (s.argmax(1) == torch.arange(len(q))).float().mean().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=1200)
    p.add_argument("--temperature", type=float, default=0.1)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    gen = torch.Generator().manual_seed(a.seed)
    maps = torch.randn(6, 20, generator=gen) * 0.5, torch.randn(6, 14, generator=gen) * 0.5
    q, i = catalogue(10000, gen, maps)
    qt_, it_ = catalogue(100, gen, maps)
    query, item = Tower(20), Tower(14)
    optimizers = [torch.optim.Adam(query.parameters(), lr=2e-3), torch.optim.Adam(item.parameters(), lr=2e-3)]
    for step in range(1, a.steps + 1):
        idx = torch.randint(0, len(q), (64,))
        scores = query(q[idx]) @ item(i[idx]).T / a.temperature
        target = torch.arange(len(idx))
        loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
        for o in optimizers:
            o.zero_grad()
        loss.backward()
        for o in optimizers:
            o.step()
        if step % 200 == 0:
            print(f"step {step} loss {loss.item():.3f} recall@1 {recall_at_1(query, item, qt_, it_):.3f}")
    print(f"recall_at_1 {recall_at_1(query, item, qt_, it_):.4f}")


if __name__ == "__main__":
    main()
