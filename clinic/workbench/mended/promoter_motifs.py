"""Expression class of short promoter sequences, one-hot CNN (toy version of the paper's Fig. 2)."""
import argparse
import itertools

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

MOTIFS = ["TATAAA", "CACGTG", "GGGCGG", "TGACTC"]
LETTERS = "ACGT"


def sequences(n, rng, length=30):
    s = rng.integers(0, 4, (n, length))
    y = np.repeat(np.arange(4), n // 4)
    for i, c in enumerate(y):
        at = rng.integers(0, length - 6)
        s[i, at:at + 6] = [LETTERS.index(ch) for ch in MOTIFS[c]]
        if rng.random() < 0.3:
            s[i, at + rng.integers(0, 6)] = rng.integers(0, 4)
    return np.eye(4, dtype=np.float32)[s].transpose(0, 2, 1), y


class MotifCNN(nn.Module):
    def __init__(self, filters=16):
        super().__init__()
        self.conv = nn.Conv1d(4, filters, 6)
        self.fc = nn.Linear(filters, 4)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x)).amax(dim=2))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=700)
    p.add_argument("--batch", type=int, default=64)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)

    x, y = sequences(8000, rng)
    order = rng.permutation(len(x))
    x, y = x[order], y[order]
    x_test, y_test = sequences(1000, rng)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    x_test, y_test = torch.from_numpy(x_test), torch.from_numpy(y_test)

    net = MotifCNN()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)

    def stream():
        for _ in itertools.count():
            yield from torch.randperm(len(x)).split(a.batch)

    smooth = None
    for step, idx in zip(range(a.steps), stream()):
        loss = F.cross_entropy(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 250 == 249:
            print(f"step {step + 1:5d}  loss {smooth:.4f}")
    with torch.no_grad():
        acc = (net(x_test).argmax(1) == y_test).float().mean().item()
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
