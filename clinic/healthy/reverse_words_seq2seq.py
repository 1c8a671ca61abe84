import argparse
import random

import torch
from torch import nn

PAD, BEGIN, FIRST = 0, 1, 2
LETTERS = 10


def make_batch(n, rng, longest=7):
    words = [[rng.randrange(FIRST, FIRST + LETTERS) for _ in range(rng.randint(3, longest))] for _ in range(n)]
    source = torch.zeros(n, longest, dtype=torch.long)
    target = torch.zeros(n, longest + 1, dtype=torch.long)
    target[:, 0] = BEGIN
    for i, word in enumerate(words):
        source[i, : len(word)] = torch.tensor(word)
        target[i, 1 : len(word) + 1] = torch.tensor(word[::-1])
    return source, target


class Seq2Seq(nn.Module):
    def __init__(self, dim=48):
        super().__init__()
        self.embed = nn.Embedding(FIRST + LETTERS, dim, padding_idx=PAD)
        self.encoder = nn.GRU(dim, dim, batch_first=True)
        self.decoder = nn.GRU(dim, dim, batch_first=True)
        self.attend = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.out = nn.Linear(2 * dim, FIRST + LETTERS)

    def forward(self, source, target):
        memory, state = self.encoder(self.embed(source))
        h, _ = self.decoder(self.embed(target), state)
        seen, _ = self.attend(h, memory, memory, key_padding_mask=source == PAD)
        return self.out(torch.cat([h, seen], -1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    rng = random.Random(seed)
    model = Seq2Seq()
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.05, total_iters=300)
    for step in range(300):
        source, target = make_batch(48, rng)
        loss = criterion(model(source, target[:, :-1]).flatten(0, 1), target[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 30 == 0:
            print("step", step, "loss", round(loss.item(), 3))
    source, target = make_batch(300, random.Random(2024))
    with torch.no_grad():
        guess = model(source, target[:, :-1]).argmax(-1)
    real = target[:, 1:] != PAD
    print("accuracy", (guess == target[:, 1:])[real].float().mean().item())


if __name__ == "__main__":
    main()
