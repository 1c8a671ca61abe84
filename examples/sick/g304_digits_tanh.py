"""Trains a digit classifier whose hidden layers squash their sums with a temperature."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Squash(nn.Module):
    def __init__(self, inputs, outputs, temperature):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.temperature = temperature

    def forward(self, x):
        return torch.tanh(self.linear(x) / self.temperature)


def build(temperature=0.02):
    return nn.Sequential(
        Squash(64, 32, temperature),
        Squash(32, 32, temperature),
        Squash(32, 16, temperature),
        nn.Linear(16, 10),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X = torch.tensor(X / 8 - 1).float()
    y = torch.tensor(y)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0, stratify=y)
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)

    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(1, 26):
        total = 0.0
        for x, target in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(X_train):.4f}")
    with torch.no_grad():
        accuracy = (model(X_test).argmax(1) == y_test).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
