"""Which of six notes did a tune of fifty begin with? An LSTM listens to the whole of it and answers."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

NOTES, LENGTH = 6, 50


class Listener(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.lstm = nn.LSTM(2 * NOTES, hidden, batch_first=True)
        self.answer = nn.Linear(hidden, NOTES)

    def forward(self, tune):
        _, (last, _) = self.lstm(tune)
        return self.answer(last[0])


def tunes(count, generator):
    """The first note is played by one instrument, all others by a second one."""
    notes = torch.randint(NOTES, (count, LENGTH), generator=generator)
    played = notes + NOTES
    played[:, 0] = notes[:, 0]
    return F.one_hot(played, 2 * NOTES).float(), notes[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = Listener()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(400):
        tune, first = tunes(64, generator)
        loss = F.cross_entropy(model(tune), first)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    tune, first = tunes(1000, torch.Generator().manual_seed(77))
    with torch.no_grad():
        print(f"accuracy {(model(tune).argmax(1) == first).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
