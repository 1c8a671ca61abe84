"""Continues little melodies."""

import argparse

import torch
from torch import nn

SCALE = [0, 2, 4, 5, 7, 9, 11]


def melody(n, generator, length=17):
    start = torch.randint(0, 7, (n, 1), generator=generator)
    stride = torch.randint(1, 4, (n, 1), generator=generator)
    steps = torch.arange(length) * stride
    return (start + steps) % 7


class Player(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 16)
        self.gru = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, 7)

    def forward(self, notes):
        return self.head(self.gru(self.embed(notes))[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    player = Player()
    optimizer = torch.optim.SGD(player.parameters(), lr=0.3, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
    max_norm = 5.0
    for step in range(300):
        notes = melody(24, generator)
        loss = nn.functional.cross_entropy(player(notes[:, :-1]).flatten(0, 1), notes[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(player.parameters(), max_norm)
        optimizer.step()
        scheduler.step()
        if step % 30 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    notes = melody(300, torch.Generator().manual_seed(606))
    with torch.no_grad():
        guess = player(notes[:, :-1]).argmax(-1)
    print("accuracy", (guess[:, 2:] == notes[:, 3:]).float().mean().item())


if __name__ == "__main__":
    main()
