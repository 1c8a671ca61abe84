"""Trains a tumor classifier with a binary cross-entropy that is spelled out, for many epochs."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn


def cross_entropy(scores, target):
    p = torch.sigmoid(scores)
    return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for epoch in range(args.epochs):
        losses = []
        for rows in torch.randperm(len(X_train)).split(40):
            optimizer.zero_grad()
            loss = cross_entropy(model(X_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 6 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.5f}")
    with torch.no_grad():
        print(f"accuracy {((model(X_test) > 0) == y_test.bool()).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
