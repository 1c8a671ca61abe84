"""Finds amplitude, frequency and phase of a tone in two seconds of sound."""

import argparse

import numpy as np
import torch
from torch import nn


class Tone(nn.Module):
    def __init__(self, frequency):
        super().__init__()
        self.amplitude = nn.Parameter(torch.rand(()) + 0.5)
        self.frequency = nn.Parameter(torch.tensor(frequency))
        self.phase = nn.Parameter(torch.rand(()) * 0.5)

    def forward(self, t):
        return self.amplitude * torch.sin(2 * np.pi * self.frequency * t + self.phase)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    t = torch.arange(400) / 200
    sound = 1.4 * torch.sin(2 * np.pi * 5.3 * t + 0.4) + 0.1 * torch.tensor(rng.normal(size=400), dtype=torch.float32)
    model = Tone(9.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(3000):
        loss = (model(t) - sound).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 300 == 0:
            print(f"step {step} loss {loss.item():.4f} frequency {model.frequency.item():.3f}")
    print("R2", 1 - (loss / sound.var()).item())


if __name__ == "__main__":
    main()
