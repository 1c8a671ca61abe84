"""Gradient accumulation over four small batches, in functions."""

import torch
from state import print_state
from torch import nn
from torch.nn import functional as F

torch.manual_seed(4)


def make():
    return nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.LayerNorm(32), nn.Linear(32, 1))


def train(model, optimizer, x, y, parts=4):
    for step in range(30):
        optimizer.zero_grad()
        for part in range(parts):
            chunk = slice(part * 16, part * 16 + 16)
            loss = F.mse_loss(model(x[chunk]).squeeze(1), y[chunk]) / parts
            loss.backward()
        optimizer.step()
        if step % 10 == 0:
            print(step, loss.item())


def main():
    model = make()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    x = torch.randn(64, 10)
    train(model, optimizer, x, x.sum(1).sin())
    print_state(model, optimizer)


if __name__ == "__main__":
    main()
