"""Trains a digit classifier whose network returns log-probabilities, with Adagrad."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 50), nn.ReLU(), nn.Linear(50, 10))
        self.log_softmax = nn.LogSoftmax(dim=1)

    def forward(self, x):
        return self.log_softmax(self.body(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=25)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    dataset = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
    train_set, test_set = random_split(dataset, [1397, 400], generator=torch.Generator().manual_seed(0))
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)

    model = Net()
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    loss_fn = nn.NLLLoss()
    for epoch in range(args.epochs):
        total = 0.0
        for x, target in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), target)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / len(train_loader):.4f}")

    correct = 0
    model.eval()
    with torch.no_grad():
        for x, target in DataLoader(test_set, batch_size=1):
            correct += (model(x).argmax(dim=1) == target).sum().item()
    print(f"accuracy {correct / len(test_set):.3f}")


if __name__ == "__main__":
    main()
