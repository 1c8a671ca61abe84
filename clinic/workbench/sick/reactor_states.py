"""Operating state of a reactor from a process table; last column is the state."""
import argparse

import numpy as np
import torch
from torch import nn


def read_log(n, rng):
    centres = np.random.default_rng(3).normal(0, 1.7, (5, 9))
    state = rng.integers(0, 5, n)
    sensors = centres[state] + rng.normal(0, 1.0, (n, 9))
    sensors[:, 3] = sensors[:, 3] * sensors[:, 0] * 0.5
    return np.column_stack([sensors, state]).astype(np.float32)


class StateNet(nn.Module):
    def __init__(self, n_in, n_states, width=64, p=0.1):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, width), nn.GELU(), nn.Dropout(p),
                                  nn.Linear(width, width), nn.GELU())
        self.head = nn.Linear(width, n_states)

    def forward(self, x):
        return self.head(self.body(x))


def train(model, x, y, epochs, lr, batch=100):
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        running = 0.0
        perm = torch.randperm(len(x))
        for i in range(0, len(x), batch):
            idx = perm[i:i + batch]
            opt.zero_grad(set_to_none=True)
            loss = loss_fn(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            running += loss.item() * len(idx)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d} | loss {running / len(x):.6f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--epochs", type=int, default=14)
    cli.add_argument("--lr", type=float, default=1e-3)
    opts = cli.parse_args()
    torch.manual_seed(opts.seed)
    rng = np.random.default_rng(opts.seed)

    log = read_log(5000, rng)
    new = read_log(1500, rng)
    lo, hi = log.min(0), log.max(0)
    log = (log - lo) / (hi - lo)
    x, y = torch.tensor(log[:, :-1]) * 4 - 2, torch.tensor(log[:, -1]).long()

    model = StateNet(9, 5)
    train(model, x, y, opts.epochs, opts.lr)

    model.eval()
    with torch.no_grad():
        sensors = (new[:, :-1] - lo[:-1]) / (hi[:-1] - lo[:-1])
        guess = model(torch.tensor(sensors) * 4 - 2).argmax(1).numpy()
    print(f"accuracy {(guess == new[:, -1]).mean():.4f}")
