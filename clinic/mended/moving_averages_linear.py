"""Linear forecast from eight moving averages of one series."""

import argparse

import numpy as np
import torch


def features(n, rng):
    walk = rng.normal(size=n + 64).cumsum() * 0.3
    for i in range(1, len(walk)):
        walk[i] = 0.97 * walk[i - 1] + 0.3 * rng.normal()
    columns = [np.convolve(walk, np.ones(w) / w, "full")[64 : 64 + n] for w in (1, 2, 3, 4, 5, 6, 7, 8)]
    x = np.stack(columns, 1)
    y = 6 * (x[:, 1] - x[:, 2]) - 5 * (x[:, 3] - x[:, 4]) + 3 * (x[:, 6] - x[:, 5])
    return x, y + 0.02 * rng.normal(size=n)


def decorrelate(x):
    values, vectors = np.linalg.eigh(np.cov(x.T))
    return x @ vectors / np.sqrt(values)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    x, y = features(1200, np.random.default_rng(5))
    x = (x - x.mean(0)) / x.std(0)
    x = decorrelate(x)
    y = (y - y.mean()) / y.std()
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    model = torch.nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(800):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x[:1000]).squeeze(1), y[:1000])
        loss.backward()
        optimizer.step()
        if step % 80 == 0:
            print(f"step {step} mse {loss.item():.4f}")
    with torch.no_grad():
        error = torch.nn.functional.mse_loss(model(x[1000:]).squeeze(1), y[1000:])
    print("R2", 1 - (error / y[1000:].var()).item())


if __name__ == "__main__":
    main()
