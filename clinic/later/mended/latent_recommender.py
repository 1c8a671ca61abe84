import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MatrixFactorization(nn.Module):
    def __init__(self, users, items, dim):
        super().__init__()
        self.user = nn.Embedding(users, dim)
        self.item = nn.Embedding(items, dim)
        self.user_bias = nn.Embedding(users, 1)
        self.item_bias = nn.Embedding(items, 1)
        self.offset = nn.Parameter(torch.zeros(1))
        for e in (self.user, self.item):
            nn.init.normal_(e.weight, std=0.3)
        for e in (self.user_bias, self.item_bias):
            nn.init.zeros_(e.weight)

    def forward(self, u, i):
        dot = (self.user(u) * self.item(i)).sum(1, keepdim=True)
        return (dot + self.user_bias(u) + self.item_bias(i) + self.offset).squeeze(1)


def ratings(rng, users=120, items=80, n=9000):
    p, q = rng.normal(size=(users, 3)), rng.normal(size=(items, 3))
    bu, bi = rng.normal(size=users) * 0.6, rng.normal(size=items) * 0.6
    u, i = rng.integers(users, size=n), rng.integers(items, size=n)
    r = 3 + bu[u] + bi[i] + 0.6 * (p[u] * q[i]).sum(1) + 0.3 * rng.normal(size=n)
    return torch.tensor(u), torch.tensor(i), torch.tensor(r, dtype=torch.float32)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=14)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    u, i, r = ratings(np.random.default_rng(args.seed))
    train = TensorDataset(u[:7500], i[:7500], r[:7500])
    loader = DataLoader(train, batch_size=64, shuffle=True)
    model = MatrixFactorization(120, 80, 4)
    biases = [model.user_bias.weight, model.item_bias.weight, model.offset]
    opt = torch.optim.Adam([
        {"params": [model.user.weight, model.item.weight], "weight_decay": 1e-4},
        {"params": biases, "weight_decay": 0.0},
    ], lr=0.01)
    for epoch in range(args.epochs):
        total = 0.0
        for ub, ib, rb in loader:
            loss = ((model(ub, ib) - rb) ** 2).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch} mse {total / len(loader):.4f}")
    with torch.no_grad():
        res = model(u[7500:], i[7500:]).flatten() - r[7500:]
        print(f"r2 {1 - (res ** 2).mean().item() / r[7500:].var().item():.4f}")


if __name__ == "__main__":
    main()
