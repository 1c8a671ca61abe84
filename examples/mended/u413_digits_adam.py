"""Trains a small convolutional network on scikit-learn's digits with Adam, its options kept in a data class."""

import argparse
import random
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Options:
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    batch_size: int = 32
    epochs: int = 12


def network():
    return nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(96, 10),
    )  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    options = Options()
    X, y = load_digits(return_X_y=True)
    X = (X.reshape(-1, 1, 8, 8) - 4.9) / 6.0
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=13, stratify=y)
    data = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
    loader = DataLoader(data, batch_size=options.batch_size, shuffle=True)
    model = network()
    optimizer = torch.optim.Adam(
        model.parameters(), lr=options.lr, betas=(options.beta1, options.beta2), eps=options.eps
    )
    for epoch in range(options.epochs):
        total = 0.0
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        print(f"epoch {epoch + 1} loss {total / len(data):.4f}")
    with torch.no_grad():
        answers = model(torch.tensor(X_test).float()).argmax(dim=1)
    print(f"accuracy {(answers == torch.tensor(y_test)).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
