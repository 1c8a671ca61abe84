"""Trains a GRU on a noisy rhythm of two periods, window after window in the order of time, to tell the next value."""

import argparse
import random

import numpy as np
import torch
from torch import nn


def series(length, rng):
    t = np.arange(length)
    wave = np.sin(2 * np.pi * t / 11) + 0.5 * np.sin(2 * np.pi * t / 7 + 1.0)
    return (wave + 0.1 * rng.standard_normal(length)).astype(np.float32)


class Forecaster(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        y, state = self.gru(x, state)
        return self.out(y), state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(0)
    data = torch.from_numpy(np.stack([series(801, np.random.default_rng(k)) for k in range(8)])).unsqueeze(2)
    held_out = torch.from_numpy(series(401, rng))[None, :, None]
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for epoch in range(25):
        state, losses = None, []
        for start in range(0, 800, 40):
            x, y = data[:, start : start + 40], data[:, start + 1 : start + 41]
            prediction, state = model(x, state)
            state = state.detach()
            loss = nn.functional.mse_loss(prediction, y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        prediction, _ = model(held_out[:, :-1])
        error = nn.functional.mse_loss(prediction[:, 50:], held_out[:, 51:])
    print(f"r2 {1 - error.item() / held_out.var().item():.3f}")


if __name__ == "__main__":
    main()
