"""Disease score from a small cohort with many markers; validation loss is followed."""
import argparse

import numpy as np
import torch
import torch.nn as nn


def cohort(n, seed, markers=60):
    beta = np.random.default_rng(21).normal(0, 1, 5)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, markers))
    y = x[:, :5] @ beta / np.linalg.norm(beta) + rng.normal(0, 0.9, n)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y[:, None], dtype=torch.float32)


class Scorer(nn.Module):
    def __init__(self, markers=60, hidden=128):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(markers, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(),
                                    nn.Linear(hidden, 1))

    def forward(self, x):
        return self.layers(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--patients", type=int, default=300)
    ap.add_argument("--updates", type=int, default=1200)
    ap.add_argument("--lr", type=float, default=3e-4)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = cohort(args.patients, args.seed)
    xv, yv = cohort(1000, args.seed + 77)
    model = Scorer()
    opt = torch.optim.Adam(model.parameters(), lr=args.lr)
    loss_fn = nn.MSELoss()
    for u in range(1, args.updates + 1):
        i = torch.randint(0, len(x), (64,))
        loss = loss_fn(model(x[i]), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if u % 60 == 0:
            with torch.no_grad():
                val = loss_fn(model(xv), yv).item()
            print(f"update {u} train {loss.item():.4f} val {val:.4f}")
    print(f"r2 {1 - val / yv.var().item():.4f}")


if __name__ == "__main__":
    main()
