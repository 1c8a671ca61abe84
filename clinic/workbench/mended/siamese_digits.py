"""Metric learning on digits: contrastive loss over pairs, judged by 1-nearest-neighbour accuracy."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier


class Embedder(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return self.net(x)


def distance(a, b):
    return ((a - b) ** 2).sum(1).add(1e-8).sqrt()


def contrastive(a, b, same, margin=2.0):
    d = distance(a, b)
    return torch.where(same, d ** 2, F.relu(margin - d) ** 2).mean()


def sample_pairs(labels, n):
    i = torch.randint(0, len(labels), (n,))
    j = torch.randint(0, len(labels), (n,))
    half = n // 2
    for k in range(half):
        pool = torch.nonzero(labels == labels[i[k]]).flatten()
        j[k] = pool[torch.randint(0, len(pool), (1,))]
    return i, j, labels[i] == labels[j]


def knn_score(model, x, y, cut):
    with torch.no_grad():
        z = torch.nan_to_num(model(x)).numpy()
    clf = KNeighborsClassifier(1).fit(z[:cut], y[:cut].numpy())
    return clf.score(z[cut:], y[cut:].numpy())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=700)
    ap.add_argument("--pairs", type=int, default=64)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    digits = load_digits()
    order = torch.randperm(len(digits.data))
    x = torch.tensor(digits.data, dtype=torch.float32)[order] / 8 - 0.6
    y = torch.tensor(digits.target)[order]
    cut = 1300
    model = Embedder()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(1, args.steps + 1):
        i, j, same = sample_pairs(y[:cut], args.pairs)
        loss = contrastive(model(x[i]), model(x[j]), same)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    print(f"knn_accuracy {knn_score(model, x, y, cut):.4f}")


if __name__ == "__main__":
    main()
