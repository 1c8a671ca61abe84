"""Trains a digit classifier with a cross-entropy that is spelled out for one-hot targets."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        return self.out(torch.sigmoid(self.hidden(x)))


def cross_entropy(scores, labels):
    one_hot = F.one_hot(labels, 10).float()
    return -(one_hot * F.log_softmax(scores, dim=1)).sum(dim=1).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=40, shuffle=True)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(20):
        total = 0.0
        for x, label in loader:
            optimizer.zero_grad()
            loss = cross_entropy(model(x), label)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
