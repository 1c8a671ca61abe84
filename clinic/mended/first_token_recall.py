"""A word of noise follows one letter; the network must name the letter at the end."""

import argparse

import torch
from torch import nn


class Recall(nn.Module):
    def __init__(self, symbols=6, hidden=48):
        super().__init__()
        self.embed = nn.Embedding(symbols + 4, 16)
        self.rnn = nn.RNN(16, hidden, batch_first=True)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        self.out = nn.Linear(hidden, symbols)

    def forward(self, tokens):
        states, _ = self.rnn(self.embed(tokens))
        return self.out(states[:, -1])


def sequences(n, generator, length=16):
    first = torch.randint(0, 6, (n, 1), generator=generator)
    rest = torch.randint(6, 10, (n, length - 1), generator=generator)
    return torch.cat([first, rest], 1), first[:, 0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    model = Recall()
    steps = 500
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        tokens, answer = sequences(48, generator)
        loss = nn.functional.cross_entropy(model(tokens), answer)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    tokens, answer = sequences(600, torch.Generator().manual_seed(12345))
    with torch.no_grad():
        print("accuracy", (model(tokens).argmax(1) == answer).float().mean().item())


if __name__ == "__main__":
    main()
