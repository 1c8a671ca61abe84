"""Trains a regularized digit classifier."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

KEEP = 0.9


def drop():
    return nn.Dropout(KEEP)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 64),
            nn.ReLU(),
            drop(),
            nn.Linear(64, 64),
            nn.ReLU(),
            drop(),
            nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.layers(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(3))
    train, test = order[:1400], order[1400:]
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(20):
        model.train()
        total = 0.0
        for rows in train[torch.randperm(1400)].split(40):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / 35:.4f}")
    model.eval()
    with torch.no_grad():
        accuracy = (model(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
