"""Trains a deep tanh classifier on scikit-learn's digits with RMSprop and a long memory of squared gradients."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build(width, depth):
    layers = [nn.Linear(64, width), nn.Tanh()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 8 - 1, y, test_size=0.25, random_state=11, stratify=y)
    data = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
    loader = DataLoader(data, batch_size=32, shuffle=True)
    model = build(128, 4)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, alpha=0.999)
    for epoch in range(args.epochs):
        total = 0.0
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1} loss {total / len(data):.4f}")
    with torch.no_grad():
        answers = model(torch.tensor(X_test).float()).argmax(dim=1)
    print(f"accuracy {(answers == torch.tensor(y_test)).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
