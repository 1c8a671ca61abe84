"""Fills gaps in counting sequences, looking both ways."""

import argparse

import torch
from torch import nn

TOKENS, MASK, LENGTH = 30, 30, 12


class Filler(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.embed = nn.Embedding(TOKENS + 1, dim)
        self.place = nn.Parameter(0.02 * torch.randn(LENGTH, dim))
        layer = nn.TransformerEncoderLayer(dim, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(dim, TOKENS)

    def forward(self, x):
        return self.head(self.body(self.embed(x) + self.place))


def batch(n, generator=None):
    start = torch.randint(0, 8, (n, 1), generator=generator)
    stride = torch.randint(1, 3, (n, 1), generator=generator)
    whole = start + stride * torch.arange(LENGTH)
    hidden = torch.rand(n, LENGTH, generator=generator) < 1 / 6
    return torch.where(hidden, MASK, whole), torch.where(hidden, whole, -100)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    model = Filler()
    steps = 450
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        x, y = batch(32)
        loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), ignore_index=-100)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 45 == 0:
            print("step", step, "loss", round(loss.item(), 4))
    model.eval()
    x, y = batch(400, torch.Generator().manual_seed(3))
    with torch.no_grad():
        guess = model(x).argmax(-1)
    print("accuracy", (guess == y)[y >= 0].float().mean().item())


if __name__ == "__main__":
    main()
