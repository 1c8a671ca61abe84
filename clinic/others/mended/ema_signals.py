"""Classify short sensor traces with a 1-D CNN; the averaged weights are evaluated."""
import argparse
import copy
import numpy as np
import torch
from torch import nn


def traces(n, rng, length=48):
    t = np.arange(length)
    kind = rng.integers(0, 4, n)
    phase, rate = rng.uniform(0, 2 * np.pi, (n, 1)), rng.uniform(0.25, 0.45, (n, 1))
    s = np.sin(rate * t + phase)
    square = np.sign(s)
    saw = ((rate * t + phase) / np.pi) % 2 - 1
    burst = s * np.exp(-((t - 24) ** 2) / 80)
    x = np.choose(kind[:, None], [s, square, saw, burst])
    return 40.0 + 5.0 * (x + 0.35 * rng.standard_normal(x.shape)), kind


class EMA:
    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model).requires_grad_(False), decay

    @torch.no_grad()
    def update(self, model):
        for a, b in zip(self.model.parameters(), model.parameters()):
            a.lerp_(b, 1 - self.decay)


class Pipeline:
    def __init__(self, x):
        self.mean, self.std = x.mean(), x.std()

    def __call__(self, x):
        return torch.tensor((x - self.mean) / self.std, dtype=torch.float32).unsqueeze(1)


def build():
    return nn.Sequential(
        nn.Conv1d(1, 16, 7, padding=3), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 24, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(96, 4)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=500)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    (xa, ya), (xb, yb) = traces(1500, rng), traces(500, rng)
    prepare = Pipeline(xa)
    train_x, train_y = prepare(xa), torch.tensor(ya)
    test_x, test_y = prepare(xb), torch.tensor(yb)
    model = build()
    ema = EMA(model, 0.98)
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(args.steps):
        i = torch.randint(len(train_x), (48,))
        loss = nn.functional.cross_entropy(model(train_x[i]), train_y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema.update(model)
        if step % 100 == 99:
            with torch.no_grad():
                v = nn.functional.cross_entropy(ema.model(test_x), test_y)
            print(f"step {step + 1} train {loss.item():.4f} val {v.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(ema.model(test_x).argmax(1) == test_y).float().mean().item():.4f}")
