"""Triplet embedding of digits; evaluated by nearest class mean."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Sampler:
    def __init__(self, x, y):
        self.x, self.y = x, y
        self.by_class = [(y == c).nonzero().squeeze(1) for c in range(10)]

    def __call__(self, n):
        a = torch.randint(len(self.x), (n,))
        pos = torch.stack([self.by_class[c][torch.randint(len(self.by_class[c]), ())] for c in self.y[a].tolist()])
        neg_class = (self.y[a] + torch.randint(1, 10, (n,))) % 10
        neg = torch.stack([self.by_class[c][torch.randint(len(self.by_class[c]), ())] for c in neg_class.tolist()])
        return self.x[a], self.x[pos], self.x[neg]


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    d = load_digits()
    x, y = torch.tensor(d.data / 8 - 0.6, dtype=torch.float32), torch.tensor(d.target)
    p = torch.randperm(len(x))
    (xa, ya), (xb, yb) = (x[p[:1300]], y[p[:1300]]), (x[p[1300:]], y[p[1300:]])
    net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 16))
    embed = lambda v: F.normalize(net(v), dim=1)
    sample = Sampler(xa, ya)
    crit = nn.TripletMarginLoss(margin=0.3)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    for step in range(400):
        a, pos, neg = (embed(v) for v in sample(48))
        loss = crit(a, pos, neg)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 80 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        means = torch.stack([embed(xa[ya == c]).mean(0) for c in range(10)])
        acc = (torch.cdist(embed(xb), means).argmin(1) == yb).float().mean().item()
    print(f"accuracy {acc:.4f}")
