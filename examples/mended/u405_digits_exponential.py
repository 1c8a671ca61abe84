"""Trains a digit classifier with SGD and an exponential learning-rate schedule."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR
from torch.utils.data import DataLoader, TensorDataset


def get_loaders(batch_size):
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 8 - 1, y, test_size=0.25, random_state=5, stratify=y)
    train_set = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
    test_set = TensorDataset(torch.tensor(X_test).float(), torch.tensor(y_test))
    return DataLoader(train_set, batch_size, shuffle=True), DataLoader(test_set, batch_size)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--gamma", type=float, default=0.97)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    train_loader, test_loader = get_loaders(64)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.5)
    scheduler = ExponentialLR(optimizer, gamma=args.gamma)
    for epoch in range(args.epochs):
        total = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(train_loader):.4f}")

    with torch.no_grad():
        hits = [(model(x).argmax(1) == y) for x, y in test_loader]
    print(f"accuracy {torch.cat(hits).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
