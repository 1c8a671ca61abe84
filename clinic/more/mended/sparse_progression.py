import argparse
import torch
from torch import nn
from sklearn.datasets import make_regression


class SparseNet(nn.Module):
    def __init__(self, d, h=32):
        super().__init__()
        self.gate = nn.Parameter(torch.ones(d))
        self.inner = nn.Sequential(nn.Linear(d, h), nn.GELU(), nn.Linear(h, 1))

    def forward(self, x):
        return self.inner(x * self.gate).flatten()

    def penalty(self):
        return sum(p.abs().sum() for n, p in self.named_parameters() if "bias" not in n)


def objective(model, x, y, strength):
    fit = torch.mean((model(x) - y) ** 2)
    return fit + strength * model.penalty(), fit


def main():
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--strength", type=float, default=1e-4)
    a = cli.parse_args()
    torch.manual_seed(a.seed)
    X, y = make_regression(n_samples=1200, n_features=20, n_informative=6, noise=20.0, random_state=a.seed)
    X = torch.tensor(X, dtype=torch.float32)
    y = torch.tensor((y - y.mean()) / y.std(), dtype=torch.float32)
    model = SparseNet(20)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(40):
        order = torch.randperm(900)
        for i in range(0, 900, 30):
            k = order[i:i + 30]
            total, fit = objective(model, X[k], y[k], a.strength)
            opt.zero_grad()
            total.backward()
            opt.step()
        if epoch % 8 == 0:
            print(f"epoch {epoch} total {total.item():.3f} fit {fit.item():.3f} penalty {model.penalty().item():.2f}")
    with torch.no_grad():
        r = y[900:] - model(X[900:])
    print(f"R2 {1 - (r.var() / y[900:].var()).item():.3f}")


main()
