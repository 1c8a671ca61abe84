"""Ratings of shop items from two tables of factors."""

import argparse

import torch
from torch import nn


class Factors(nn.Module):
    def __init__(self, people, items, rank=3):
        super().__init__()
        self.people = nn.Embedding(people, rank, sparse=True)
        self.items = nn.Embedding(items, rank, sparse=True)
        nn.init.normal_(self.people.weight, std=0.5)
        nn.init.normal_(self.items.weight, std=0.5)

    def forward(self, person, item):
        return (self.people(person) * self.items(item)).sum(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    g = torch.Generator().manual_seed(2)
    a, b = torch.randn(300, 3, generator=g), torch.randn(200, 3, generator=g)
    person, item = torch.randint(0, 300, (20000,), generator=g), torch.randint(0, 200, (20000,), generator=g)
    rating = (a[person] * b[item]).sum(1) / 3**0.5 + 0.2 * torch.randn(20000, generator=g)
    model = Factors(300, 200)
    optimizer = torch.optim.SparseAdam(model.parameters(), lr=0.02)
    for epoch in range(10):
        total = 0.0
        for rows in torch.randperm(18000).split(200):
            loss = (model(person[rows], item[rows]) - rating[rows]).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() / 90
        for group in optimizer.param_groups:
            group["lr"] *= 0.75
        print(f"epoch {epoch} loss {total:.4f}")
    with torch.no_grad():
        error = (model(person[18000:], item[18000:]) - rating[18000:]).pow(2).mean()
    print("R2", 1 - (error / rating[18000:].var()).item())


if __name__ == "__main__":
    main()
