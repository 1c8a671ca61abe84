"""Trains a wine classifier with Adam and a squared penalty on its weights in the loss."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn


def penalty(model):
    return sum((p**2).sum() for p in model.parameters())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--strength", type=float, default=1e-4)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.33, random_state=4, stratify=y)
    mean, std = X_train.mean(axis=0), X_train.std(axis=0)
    X_train = torch.tensor((X_train - mean) / std).float()
    X_test = torch.tensor((X_test - mean) / std).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

    model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(args.epochs):
        for rows in torch.randperm(len(X_train)).split(24):
            optimizer.zero_grad()
            data_loss = nn.functional.cross_entropy(model(X_train[rows]), y_train[rows])
            loss = data_loss + args.strength * penalty(model)
            loss.backward()
            optimizer.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f} of it data {data_loss.item():.4f}")
    with torch.no_grad():
        correct = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"accuracy {correct:.3f}")


if __name__ == "__main__":
    main()
