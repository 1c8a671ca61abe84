# Ratings from hidden factors, recovered with embeddings and Adagrad.
import argparse
import torch
from torch import nn


class Factors(nn.Module):
    def __init__(self, users, items, k=6):
        super().__init__()
        self.u, self.v = nn.Embedding(users, k), nn.Embedding(items, k)
        self.bu, self.bv = nn.Embedding(users, 1), nn.Embedding(items, 1)
        for e in (self.u, self.v):
            nn.init.normal_(e.weight, std=0.3)
        for e in (self.bu, self.bv):
            nn.init.zeros_(e.weight)

    def forward(self, i, j):
        return (self.u(i) * self.v(j)).sum(1) + (self.bu(i) + self.bv(j)).squeeze(1)


class Ratings:
    def __init__(self, users=150, items=120, k=4, n=12000):
        a, b = torch.randn(users, k), torch.randn(items, k)
        self.i, self.j = torch.randint(users, (n,)), torch.randint(items, (n,))
        r = (a[self.i] * b[self.j]).sum(1) / k**0.5 + 0.15 * torch.randn(n)
        self.r = (r - r.mean()) / r.std()

    def split(self, cut):
        return [(self.i[s], self.j[s], self.r[s]) for s in (slice(0, cut), slice(cut, None))]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=0.2)
    ap.add_argument("--lr-decay", type=float, default=0.0)
    ap.add_argument("--epochs", type=int, default=25)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    train, test = Ratings().split(10000)
    net = Factors(150, 120)
    opt = torch.optim.Adagrad(net.parameters(), lr=args.lr, lr_decay=args.lr_decay)
    for ep in range(args.epochs):
        for b in torch.randperm(10000).split(250):
            i, j, r = (t[b] for t in train)
            loss = ((net(i, j) - r) ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
        if ep % 5 == 0:
            print(f"epoch {ep} mse {loss.item():.4f}")
    with torch.no_grad():
        i, j, r = test
        print(f"r2 {1 - ((net(i, j) - r) ** 2).mean().item() / r.var().item():.4f}")


main()
