"""Recover a low-rank matrix from linear measurements by gradient descent on its factors."""
import argparse
from dataclasses import dataclass

import torch


@dataclass
class Problem:
    n: int = 20
    rank: int = 3
    measurements: int = 600


class Factors(torch.nn.Module):
    def __init__(self, n, rank, scale):
        super().__init__()
        self.u = torch.nn.Parameter(scale * torch.randn(n, rank))
        self.v = torch.nn.Parameter(scale * torch.randn(n, rank))

    def forward(self, a):
        return torch.einsum("mij,ij->m", a, self.u @ self.v.T)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--init-scale", type=float, default=1e-12)
    ap.add_argument("--lr", type=float, default=0.005)
    ap.add_argument("--steps", type=int, default=1500)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    prob = Problem()
    truth = torch.randn(prob.n, prob.rank) @ torch.randn(prob.rank, prob.n)
    truth = truth / truth.norm() * prob.rank ** 0.5
    a = torch.randn(prob.measurements, prob.n, prob.n)
    b = torch.einsum("mij,ij->m", a, truth)
    model = Factors(prob.n, prob.rank, args.init_scale)
    opt = torch.optim.SGD(model.parameters(), lr=args.lr)
    for step in range(args.steps):
        loss = (model(a) - b).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.6f}")
    with torch.no_grad():
        err = (model.u @ model.v.T - truth).pow(2).sum() / truth.pow(2).sum()
    print(f"recovered {1 - err.item():.4f}")


if __name__ == "__main__":
    main()
