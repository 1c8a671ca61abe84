"""Trains a network that ticks four attributes of a digit: even, prime, above four, drawn with a loop."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


def attributes(y):
    return np.stack([y % 2 == 0, np.isin(y, (2, 3, 5, 7)), y > 4, np.isin(y, (0, 6, 8, 9))], axis=1)


class Attributes(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 40)
        self.fc2 = nn.Linear(40, 4)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.sigmoid(self.fc2(x))


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    targets = torch.tensor(attributes(y), dtype=torch.float32)
    X = torch.tensor(X / 16, dtype=torch.float32)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    model = Attributes()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(30):
        total = 0.0
        for batch in train[torch.randperm(len(train))].split(50):
            loss = F.binary_cross_entropy_with_logits(model(X[batch]), targets[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        if epoch % 5 == 0:
            print(f"epoch {epoch}: loss {total / len(train):.4f}")
    with torch.no_grad():
        ticked = torch.sigmoid(model(X[test])) > 0.5
    print(f"accuracy {(ticked == targets[test].bool()).all(dim=1).float().mean().item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
