"""Trains a digit classifier with the negative log-likelihood loss and RMSprop."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F


class DigitNet(nn.Module):
    def __init__(self, hidden=48):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def train_epoch(model, optimizer, criterion, x, y, batch_size):
    model.train()
    total = 0.0
    for rows in torch.randperm(len(x)).split(batch_size):
        optimizer.zero_grad()
        loss = criterion(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(x)


def test(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split((X - 8) / 8, y, test_size=400, random_state=7)
    X_train, X_test = torch.from_numpy(X_train).float(), torch.from_numpy(X_test).float()
    y_train, y_test = torch.from_numpy(y_train), torch.from_numpy(y_test)

    model = DigitNet()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
    criterion = nn.NLLLoss()
    for epoch in range(25):
        loss = train_epoch(model, optimizer, criterion, X_train, y_train, batch_size=40)
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss:.4f}")
    print(f"accuracy {test(model, X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
