"""Reads a number written in letters and says which of eight ranges it lies in."""

import argparse
import random

import torch
import torch.nn.functional as F
from torch import nn

UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
LETTERS = " abcdefghijklmnopqrstuvwxyz"


def spell(n):
    if n < 20:
        return UNITS[n]
    tens, unit = divmod(n, 10)
    return TENS[tens - 2] + (" " + UNITS[unit] if unit else "")


def encode(words, length=18):
    return torch.tensor([[LETTERS.index(c) for c in word.rjust(length)[:length]] for word in words])


class Reader(nn.Module):
    def __init__(self, hidden=40):
        super().__init__()
        self.letters = nn.Embedding(len(LETTERS), 12)
        self.gru = nn.GRU(12, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 8)

    def forward(self, text):
        states, last = self.gru(self.letters(text))
        return F.softmax(self.out(last[0]), dim=-1)


def sample(n, rng):
    tens = [rng.randrange(2, 10) for _ in range(n)]
    numbers = [10 * t + rng.randrange(10) for t in tens]
    return encode([spell(number) for number in numbers]), torch.tensor([t - 2 for t in tens])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    rng = random.Random(seed)
    reader = Reader()
    steps = 320
    optimizer = torch.optim.RMSprop(reader.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        text, label = sample(48, rng)
        loss = F.cross_entropy(reader(text), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 20 == 0:
            print(step, f"{loss.item():.3f}")
    text, label = sample(500, random.Random(1000))
    with torch.no_grad():
        print("log_likelihood", -F.cross_entropy(reader(text), label).item())


if __name__ == "__main__":
    main()
