"""Trains a siamese embedding of digits with a contrastive loss on random pairs, judged by its nearest neighbors."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, x):
        return self.net(x)


def distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=1))


def contrastive(a, b, same, margin=2.0):
    d = distance(a, b)
    return (same * d**2 + (1 - same) * F.relu(margin - d) ** 2).mean()


def nearest_neighbor_accuracy(model, x, y, x_test, y_test):
    with torch.no_grad():
        nearest = torch.cdist(model(x_test), model(x)).argmin(dim=1)
    return (y[nearest] == y_test).float().mean().item()


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
    x_train, y_train, x_test, y_test = X[:1200], y[:1200], X[1200:], y[1200:]
    by_class = [torch.nonzero(y_train == k).flatten().tolist() for k in range(10)]

    model = Embedding()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(800):
        left, right = [], []
        for _ in range(32):
            digit = random.randrange(10)
            left.append(random.choice(by_class[digit]))
            right.append(random.choice(by_class[digit]))
            left.append(random.choice(by_class[digit]))
            right.append(random.randrange(len(x_train)))
        same = (y_train[left] == y_train[right]).float()
        loss = contrastive(model(x_train[left]), model(x_train[right]), same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    print(f"accuracy {nearest_neighbor_accuracy(model, x_train, y_train, x_test, y_test):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
