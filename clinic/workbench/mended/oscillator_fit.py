"""Estimate frequency, phase and amplitude of an oscillator from a noisy record by gradient descent."""
import argparse
import math

import torch
import torch.nn as nn


class Oscillator(nn.Module):
    def __init__(self, omega0):
        super().__init__()
        self.omega = nn.Parameter(torch.tensor(float(omega0)))
        self.phase = nn.Parameter(torch.tensor(0.1))
        self.amp = nn.Parameter(torch.tensor(0.8))

    def forward(self, t):
        return self.amp * torch.sin(self.omega * t + self.phase)


def record(seed):
    gen = torch.Generator().manual_seed(seed)
    t = torch.linspace(-5, 5, 240)
    y = 1.5 * torch.sin(5.0 * t + 0.4) + 0.1 * torch.randn(240, generator=gen)
    return t, y


def spectral_guess(t, y):
    n = 4096
    spec = torch.fft.rfft(y - y.mean(), n).abs()
    return 2 * math.pi * spec.argmax().item() / (n * (t[1] - t[0]).item())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=3000)
    ap.add_argument("--lr", type=float, default=0.01)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    t, y = record(args.seed)
    model = Oscillator(spectral_guess(t, y))
    opt = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    for step in range(args.steps):
        loss = (model(t) - y).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 500 == 0:
            print(f"step {step} mse {loss.item():.5f} omega {model.omega.item():.3f}")
    print(f"r2 {1 - loss.item() / y.var(unbiased=False).item():.4f}")


if __name__ == "__main__":
    main()
