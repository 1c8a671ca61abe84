"""Trains a digit classifier with SGD and a bound on the gradient, after a recipe for recurrent networks."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

BATCH = 40


def batches(X, y):
    for rows in torch.randperm(len(X)).split(BATCH):
        yield X[rows], y[rows]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--clip", type=float, default=0.01)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = (
        torch.tensor(part) for part in train_test_split(X / 16.0, y, test_size=0.2, random_state=8, stratify=y)
    )
    X_train, X_test = X_train.float(), X_test.float()
    net = nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 40), nn.ReLU(), nn.Linear(40, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        running = 0.0
        for images, labels in batches(X_train, y_train):
            optimizer.zero_grad()
            loss = criterion(net(images), labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), args.clip)
            optimizer.step()
            running += loss.item() * len(labels)
        if (epoch + 1) % 5 == 0:
            print(f"epoch {epoch + 1}: loss {running / len(X_train):.4f}")
    with torch.no_grad():
        accuracy = (net(X_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
