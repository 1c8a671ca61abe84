"""Trains a digit classifier on one-hot targets, with momentum SGD and a step schedule."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:], strict=True))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def objective(scores, labels):
    return F.cross_entropy(scores, F.one_hot(labels, 10).float())


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 16.0, dtype=torch.float32)
    y = torch.tensor(y)
    train, test = train_test_split(np.arange(len(X)), test_size=0.25, random_state=0, stratify=y)

    model = MLP([64, 64, 32, 10])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=20, gamma=0.5)
    for epoch in range(30):
        np.random.shuffle(train)
        total = 0.0
        for i in range(0, len(train), 32):
            rows = train[i : i + 32]
            loss = objective(model(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        scheduler.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d} lr {scheduler.get_last_lr()[0]:.3f} loss {total / len(train):.5f}")

    with torch.no_grad():
        correct = (model(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {correct:.3f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    main(p.parse_args().seed)
