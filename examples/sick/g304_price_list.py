"""A list of twelve articles and their prices is read; what does the one that is asked for cost?"""

import argparse
import random

import numpy as np
import torch
from torch import nn

ARTICLES, LISTED = 30, 12


class Clerk(nn.Module):
    """Two heads of attention over the list, asked by the article."""

    def __init__(self, width=64, heads=2):
        super().__init__()
        self.heads = heads
        self.names = nn.Embedding(ARTICLES, width)
        self.ask = nn.Linear(width, width)
        self.listen = nn.Linear(width, width)
        self.tell = nn.Linear(1, width)
        self.say = nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 1))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, listed, prices, asked):
        query = self.split(self.ask(self.names(asked)[:, None]))
        key = self.split(self.listen(self.names(listed)))
        value = self.split(self.tell(prices[..., None]))
        scores = query @ key.transpose(-2, -1) * query.shape[-1]
        found = torch.softmax(scores, dim=-1) @ value
        return self.say(found.transpose(1, 2).flatten(1)).squeeze(1)


def lists(count, generator):
    listed = torch.rand(count, ARTICLES, generator=generator).argsort(1)[:, :LISTED]
    prices = torch.randn(count, LISTED, generator=generator)
    place = torch.randint(LISTED, (count, 1), generator=generator)
    return listed, prices, listed.gather(1, place)[:, 0], prices.gather(1, place)[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = Clerk()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(300):
        listed, prices, asked, answer = lists(64, generator)
        loss = nn.functional.mse_loss(model(listed, prices, asked), answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    listed, prices, asked, answer = lists(2000, torch.Generator().manual_seed(5))
    with torch.no_grad():
        error = (model(listed, prices, asked) - answer).square().mean().item()
    print(f"r2 {1 - error / answer.var().item():.3f}")


if __name__ == "__main__":
    main()
