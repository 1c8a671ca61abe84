"""Trains a digit classifier on a few examples first and then on all of them, with Adam and a long memory."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def deep_net(width, depth):
    sizes = [64, *[width] * depth]
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(inputs, outputs), nn.Tanh()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--few-epochs", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 8 - 1, y, test_size=0.25, random_state=1, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = deep_net(64, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=7e-3, betas=(0.9, 0.9999), eps=1e-2)
    for stage, epochs in (("few examples", args.few_epochs), ("all examples", args.epochs)):
        images, labels = (X_train[:80], y_train[:80]) if stage == "few examples" else (X_train, y_train)
        for epoch in range(epochs):
            total = 0.0
            for rows in torch.randperm(len(images)).split(16):
                loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
            if epoch % 100 == 0 or epoch == epochs - 1:
                print(f"{stage}, epoch {epoch + 1}: loss {total / len(images):.5f}")
    with torch.no_grad():
        accuracy = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
