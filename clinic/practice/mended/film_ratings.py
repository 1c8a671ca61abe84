"""Matrix factorisation on a rating log: embeddings of users and films, biases, dot product."""
import argparse
import numpy as np
import torch
from torch import nn

USERS, FILMS, DIM = 300, 200, 8


def rating_log(seed, n=24000):
    g = np.random.default_rng(seed + 3)
    p, q = g.normal(0, 0.6, (USERS, 4)), g.normal(0, 0.6, (FILMS, 4))
    bu, bf = g.normal(0, 0.35, USERS), g.normal(0, 0.45, FILMS)
    u = g.integers(0, USERS, n)
    f = np.minimum((g.beta(1, 2, n) * FILMS).astype(int), FILMS - 1)
    r = 3.5 + bu[u] + bf[f] + (p[u] * q[f]).sum(1) + g.normal(0, 0.4, n)
    return torch.from_numpy(u), torch.from_numpy(f), torch.tensor(np.clip(r, 0.5, 5.5), dtype=torch.float32)


class Factors(nn.Module):
    def __init__(self, mean):
        super().__init__()
        self.user = nn.Embedding(USERS, DIM)
        self.film = nn.Embedding(FILMS, DIM)
        self.user_bias = nn.Embedding(USERS, 1)
        self.film_bias = nn.Embedding(FILMS, 1)
        self.register_buffer("mean", mean)
        for e in (self.user, self.film):
            nn.init.normal_(e.weight, std=0.1)
        for e in (self.user_bias, self.film_bias):
            nn.init.zeros_(e.weight)

    def forward(self, u, f):
        dot = (self.user(u) * self.film(f)).sum(-1)
        return self.mean + dot + self.user_bias(u).squeeze(-1) + self.film_bias(f).squeeze(-1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=12)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    u, f, r = rating_log(args.seed)
    cut = 20000
    model = Factors(r[:cut].mean())
    opt = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=2e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, args.epochs)
    for epoch in range(args.epochs):
        tot = 0.0
        for b in torch.randperm(cut).split(256):
            opt.zero_grad()
            loss = (model(u[b], f[b]) - r[b]).pow(2).mean()
            loss.backward()
            opt.step()
            tot += loss.item() * len(b)
        sched.step()
        with torch.no_grad():
            val = (model(u[cut:], f[cut:]) - r[cut:]).pow(2).mean().item()
        print(f"epoch {epoch}  mse {tot / cut:.4f}  val {val:.4f}")
    print(f"r2 {1 - val / r[cut:].var().item():.4f}")


if __name__ == "__main__":
    main()
