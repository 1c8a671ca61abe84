"""Trains a digit classifier whose weights are kept in half precision, with Adam."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.25, random_state=21, stratify=y)
    X_train, X_test = torch.tensor(X_train).half(), torch.tensor(X_test).half()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10)).half()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(args.epochs):
        total = 0.0
        for rows in torch.randperm(len(X_train)).split(32):
            scores = model(X_train[rows]).float()
            loss = nn.functional.cross_entropy(scores, y_train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {total / len(X_train):.4f}")
    with torch.no_grad():
        answers = model(X_test).argmax(dim=1)
    print(f"accuracy {(answers == y_test).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
