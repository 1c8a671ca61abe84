"""Trains a wine classifier with dropout and batch normalization and tests it one bottle pair at a time."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn


class WineNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 32)
        self.bn1 = nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 16)
        self.drop = nn.Dropout(0.5)
        self.fc3 = nn.Linear(16, 3)

    def forward(self, x):
        x = F.relu(self.bn1(self.fc1(x)))
        x = self.drop(F.relu(self.fc2(x)))
        return self.fc3(x)


def test(model, x, y):
    correct = 0
    model.eval()
    with torch.no_grad():
        for i in range(0, len(x) - 1, 2):
            correct += (model(x[i : i + 2]).argmax(1) == y[i : i + 2]).sum().item()
    model.train()
    return correct / (len(x) // 2 * 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=0, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = WineNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(60):
        total = 0.0
        batches = torch.randperm(len(X_train)).split(20)[:5]
        for batch in batches:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(X_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 10 == 0:
            print(f"epoch {epoch} loss {total / len(batches):.4f} test {test(model, X_test, y_test):.3f}")
    print(f"accuracy {test(model, X_test, y_test):.3f}")


if __name__ == "__main__":
    main()
