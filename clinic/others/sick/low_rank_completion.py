"""Fill in a partly observed table with a rank-4 factorization."""
import argparse
import torch
from torch import nn


class LowRank(nn.Module):
    def __init__(self, rows, cols, rank, std=0.1):
        super().__init__()
        self.left = nn.Parameter(std * torch.randn(rows, rank))
        self.right = nn.Parameter(std * torch.randn(cols, rank))

    def forward(self):
        return self.left @ self.right.T


class Problem:
    def __init__(self, rows=80, cols=60, rank=3, share=0.5):
        a, b = torch.randn(rows, rank), torch.randn(cols, rank)
        self.table = a @ b.T + 0.1 * torch.randn(rows, cols)
        self.seen = torch.rand(rows, cols) < share

    def loss(self, guess):
        return ((guess - self.table)[self.seen] ** 2).mean()

    def score(self, guess):
        hidden = self.table[~self.seen]
        return 1 - ((guess[~self.seen] - hidden) ** 2).mean() / hidden.var()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=2000)
    ap.add_argument("--lr", type=float, default=2.0)
    ap.add_argument("--init-std", type=float, default=0.0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    problem = Problem()
    model = LowRank(80, 60, 4, args.init_std)
    opt = torch.optim.SGD(model.parameters(), lr=args.lr)
    for k in range(args.steps):
        loss = problem.loss(model())
        opt.zero_grad()
        loss.backward()
        opt.step()
        if k % 250 == 0:
            print(f"{k} {loss.item():.5f}")
    with torch.no_grad():
        print(f"r2_hidden {problem.score(model()).item():.4f}")


main()
