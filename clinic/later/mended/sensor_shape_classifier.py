import argparse

import numpy as np
import torch
from torch import nn


class SensorDataset:
    def __init__(self, rng, n, length=16):
        self.y = rng.integers(4, size=n)
        base = np.linspace(0, 1, length)
        shapes = np.stack([np.sin(6 * base), np.cos(9 * base), 2 * base - 1, np.exp(-4 * base)])
        self.x = shapes[self.y] * rng.uniform(0.7, 1.3, (n, 1)) + 0.35 * rng.normal(size=(n, length))

    def shuffle(self, rng):
        perm = rng.permutation(len(self.y))
        self.x = self.x[perm]
        self.y = self.y[perm]

    def tensors(self):
        return torch.tensor(self.x, dtype=torch.float32), torch.tensor(self.y)


class Classifier(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.GRU(4, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 4)

    def forward(self, x):
        return self.head(self.rnn(x.view(len(x), 4, 4))[0][:, -1])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=8)
    args = ap.parse_args()
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    train, test = SensorDataset(rng, 4000), SensorDataset(rng, 800)
    train.shuffle(rng)
    (x, y), (xt, yt) = train.tensors(), test.tensors()
    net = Classifier()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(args.epochs):
        s = 0.0
        for idx in torch.randperm(len(y)).split(64):
            loss = nn.functional.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item() * len(idx)
        with torch.no_grad():
            acc = (net(xt).argmax(1) == yt).float().mean().item()
        print(f"epoch {epoch} loss {s / len(y):.4f} acc {acc:.4f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
