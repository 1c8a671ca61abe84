# Which of five machines made this vibration? GRU over 30 samples of two channels.
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


def record(machine, n, rng, T=30):
    t = np.arange(T)
    f = 0.3 + 0.22 * machine
    ph = rng.uniform(0, 6.28, (n, 1))
    a = np.sin(f * t + ph) + 0.7 * rng.standard_normal((n, T))
    b = np.cos((f + 0.1) * t + ph) * (1 + 0.2 * machine) + 0.7 * rng.standard_normal((n, T))
    return np.stack([a, b], -1).astype(np.float32)


def build_set(per_machine, rng):
    xs, ys = [], []
    for m in range(5):
        xs.append(record(m, per_machine, rng))
        ys.append(np.full(per_machine, m))
    return TensorDataset(torch.from_numpy(np.concatenate(xs)), torch.from_numpy(np.concatenate(ys)))


class GRUClassifier(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(2, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 5)

    def forward(self, x):
        out, _ = self.gru(x)
        return self.fc(out.mean(1))


class Runner:
    def __init__(self, args):
        rng = np.random.default_rng(args.seed)
        self.train_set, self.test_set = build_set(400, rng), build_set(60, rng)
        self.loader = DataLoader(self.train_set, batch_size=16, shuffle=True)
        self.model = GRUClassifier()
        self.opt = torch.optim.Adam(self.model.parameters(), lr=args.lr)
        self.epochs = args.epochs

    def __call__(self):
        for epoch in range(self.epochs):
            s = 0.0
            for x, y in self.loader:
                self.opt.zero_grad()
                loss = nn.functional.cross_entropy(self.model(x), y)
                loss.backward()
                self.opt.step()
                s += loss.item()
            print(f"epoch {epoch + 1} mean loss {s / len(self.loader):.4f}")
        with torch.no_grad():
            x, y = self.test_set.tensors
            return (self.model(x).argmax(1) == y).float().mean().item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--epochs", type=int, default=4)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    print(f"accuracy {Runner(args)():.4f}")
