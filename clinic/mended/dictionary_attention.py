"""A list of key and value tokens, then one key: which value stood beside it?"""

import argparse

import torch
from torch import nn

KEYS, PAIRS = 10, 5


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(dim, dim) for _ in range(3))
        self.dim = dim

    def forward(self, query, memory_keys, memory_values):
        scores = self.q(query) @ self.k(memory_keys).transpose(1, 2)
        weights = torch.softmax(scores / self.dim**0.5, dim=-1)
        return weights @ self.v(memory_values)


class Dictionary(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.keys = nn.Embedding(KEYS, dim)
        self.values = nn.Embedding(KEYS, dim)
        self.attention = Attention(dim)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, KEYS)

    def forward(self, keys, values, question):
        found = self.attention(self.keys(question)[:, None], self.keys(keys), self.values(values))
        return self.out(self.norm(found[:, 0]))


def batch(n, generator):
    keys = torch.rand(n, KEYS, generator=generator).argsort(1)[:, :PAIRS]
    values = torch.randint(0, KEYS, (n, PAIRS), generator=generator)
    place = torch.randint(0, PAIRS, (n, 1), generator=generator)
    return keys, values, keys.gather(1, place)[:, 0], values.gather(1, place)[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = Dictionary()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 700)
    for step in range(700):
        keys, values, question, answer = batch(64, generator)
        loss = nn.functional.cross_entropy(model(keys, values, question), answer)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 70 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    keys, values, question, answer = batch(1000, torch.Generator().manual_seed(31337))
    with torch.no_grad():
        print("accuracy", (model(keys, values, question).argmax(1) == answer).float().mean().item())


if __name__ == "__main__":
    main()
