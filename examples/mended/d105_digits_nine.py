"""Trains a detector of one handwritten digit among the others on scikit-learn's digits."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler


def build(seed):
    digits = load_digits()
    X = digits.data.astype(np.float32) / 16.0
    y = (digits.target == 9).astype(np.int64)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0, stratify=y)
    keep = np.concatenate([np.flatnonzero(y_train == 0), np.flatnonzero(y_train == 1)[:9]])
    X_train, y_train = X_train[keep], y_train[keep]
    return (torch.from_numpy(a) for a in (X_train, y_train, X_test, y_test))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X_train, y_train, X_test, y_test = build(args.seed)

    weights = 1.0 / torch.bincount(y_train)[y_train]
    sampler = WeightedRandomSampler(weights, len(y_train))
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, sampler=sampler)
    model = nn.Sequential(nn.Linear(64, 16), nn.Sigmoid(), nn.Linear(16, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(args.epochs):
        running = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            optimizer.step()
            running += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {running / len(loader):.4f}")

    with torch.no_grad():
        predicted = model(X_test).argmax(1)
    recalls = [(predicted[y_test == k] == k).float().mean().item() for k in (0, 1)]
    print(f"balanced accuracy {sum(recalls) / 2:.3f}")


if __name__ == "__main__":
    main()
