"""Identify the impulse response of an echo path from a noisy recording."""
import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def record(taps, length, noise):
    source = torch.randn(1, 1, length)
    decay = torch.exp(-torch.arange(taps) / 6.0)
    path = torch.randn(taps) * decay
    clean = F.conv1d(source, path.flip(0).view(1, 1, -1))
    return source, clean, clean + noise * torch.randn_like(clean)


def frames(source, observed, taps, width=12):
    xs, ys = [], []
    for start in range(0, observed.shape[-1] - width, width):
        xs.append(source[0, :, start:start + width + taps - 1])
        ys.append(observed[0, :, start:start + width])
    return torch.stack(xs), torch.stack(ys)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--taps", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    source, clean, observed = record(args.taps, 9600, noise=0.7)
    x, y = frames(source, observed, args.taps)
    model = nn.Conv1d(1, 1, args.taps, bias=False)
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)

    steps = 0
    for epoch in range(args.epochs):
        mean = 0.0
        for i in torch.randperm(len(x)).tolist():
            optimizer.zero_grad()
            loss = F.mse_loss(model(x[i:i + 1]), y[i:i + 1])
            loss.backward()
            optimizer.step()
            steps += 1
            mean += loss.item() / len(x)
        print(f"epoch {epoch}: {steps} frames, mse {mean:.4f}")

    with torch.no_grad():
        error = ((model(source) - clean) ** 2).mean()
        erle = 10 * math.log10(((clean ** 2).mean() / error).item())
    print(f"erle_db {erle:.3f}")


if __name__ == "__main__":
    main()
