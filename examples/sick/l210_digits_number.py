"""Trains a network that reads the digit off an 8 by 8 image."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

OUTPUTS = 1


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.fc2 = nn.Linear(48, 24)
        self.fc3 = nn.Linear(24, OUTPUTS)

    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def objective(output, digit):
    return F.mse_loss(output.squeeze(1), digit.float())


def read(output):
    return output.squeeze(1).round().long()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(1))
    train, test = order[:1300], order[1300:]
    loader = DataLoader(TensorDataset(X[train], y[train]), batch_size=32, shuffle=True)
    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(15):
        total = 0.0
        for x, digit in loader:
            optimizer.zero_grad()
            loss = objective(model(x), digit)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        accuracy = (read(model(X[test])) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
