"""Two-sided embedding model for ratings (reproduction on synthetic users and films)."""
import argparse

import torch
import torch.nn as nn


class Ratings(nn.Module):
    def __init__(self, users, films, dim):
        super().__init__()
        self.user = nn.Embedding(users, dim)
        self.film = nn.Embedding(films, dim)
        self.user_bias = nn.Embedding(users, 1)
        self.film_bias = nn.Embedding(films, 1)
        for table in (self.user, self.film):
            nn.init.normal_(table.weight, std=0.3)
        for table in (self.user_bias, self.film_bias):
            nn.init.zeros_(table.weight)

    def forward(self, u, f):
        dot = (self.user(u) * self.film(f)).sum(1)
        return dot + self.user_bias(u).squeeze(1) + self.film_bias(f).squeeze(1)


def main(args):
    torch.manual_seed(args.seed)
    U, V = torch.randn(120, 3), torch.randn(80, 3)
    table = U @ V.T / 3 ** 0.5 + torch.randn(120, 1) * 0.5 + torch.randn(1, 80) * 0.5
    u, f = torch.meshgrid(torch.arange(120), torch.arange(80), indexing="ij")
    u, f = u.flatten(), f.flatten()
    r = table.flatten() + 0.3 * torch.randn(len(u))
    r = (r - r.mean()) / r.std()
    order = torch.randperm(len(u))
    train, test = order[:7600], order[7600:]

    model = Ratings(120, 80, args.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        total = 0.0
        for idx in train[torch.randperm(len(train))].split(args.batch_size):
            loss = nn.functional.mse_loss(model(u[idx], f[idx]), r[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1} mse {total / len(train):.4f}")
    with torch.no_grad():
        err = (model(u[test], f[test]) - r[test]).pow(2).mean().item()
    print(f"r2 {1 - err / r[test].var().item():.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--dim", type=int, default=4)
    p.add_argument("--lr", type=float, default=1e-2)
    p.add_argument("--batch_size", type=int, default=128)
    p.add_argument("--epochs", type=int, default=15)
    main(p.parse_args())
