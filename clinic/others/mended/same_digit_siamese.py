"""Do two pictures show the same digit? Shared tower, then a comparison head."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
from sklearn.datasets import load_digits


@dataclass
class Options:
    hidden: int = 96
    dropout: float = 0.1
    steps: int = 700
    batch: int = 64
    lr: float = 1e-3


class Siamese(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.tower = nn.Sequential(
            nn.Linear(64, o.hidden), nn.ReLU(), nn.Dropout(o.dropout), nn.Linear(o.hidden, o.hidden), nn.ReLU(), nn.Dropout(o.dropout), nn.Linear(o.hidden, 24)
        )
        self.head = nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, a, b):
        return self.head((self.tower(a) - self.tower(b)).abs()).squeeze(1)


class Pairs:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def draw(self, n):
        i = torch.randint(len(self.x), (n,))
        j = torch.randint(len(self.x), (n,))
        for k in range(0, n, 2):
            same = (self.y == self.y[i[k]]).nonzero().squeeze(1)
            j[k] = same[torch.randint(len(same), ())]
        return self.x[i], self.x[j], (self.y[i] == self.y[j]).float()


def main(seed, o=Options()):
    torch.manual_seed(seed)
    d = load_digits()
    x, y = torch.tensor((d.data - 4.88) / 6.02, dtype=torch.float32), torch.tensor(d.target)
    p = torch.randperm(len(x))
    train, test = Pairs(x[p[:1300]], y[p[:1300]]), Pairs(x[p[1300:]], y[p[1300:]])
    net = Siamese(o)
    opt = torch.optim.Adam(net.parameters(), lr=o.lr)
    crit = nn.BCEWithLogitsLoss()
    for s in range(o.steps):
        a, b, t = train.draw(o.batch)
        loss = crit(net(a, b), t)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if s % 100 == 0:
            print(f"{s} {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        a, b, t = test.draw(1000)
        acc = ((net(a, b) > 0).float() == t).float().mean().item()
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
