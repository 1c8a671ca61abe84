"""Trains an encoder on the digits 0 to 4, freezes it, and trains a new head for the digits 5 to 9 on top."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


def batches(rows, size):
    return rows[torch.randperm(len(rows))].split(size)


def fit(model, optimizer, X, y, rows, epochs, label):
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        losses = []
        for batch in batches(rows, 32):
            optimizer.zero_grad()
            loss = criterion(model(X[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 10 == 9:
            print(f"{label} epoch {epoch + 1} loss {np.mean(losses):.4f}")


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    old = order[y[order] < 5]
    new = order[y[order] >= 5]
    train, test = new[:650], new[650:]

    backbone = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU())
    first = nn.Sequential(backbone, nn.Linear(64, 5))
    fit(first, torch.optim.Adam(first.parameters(), lr=1e-3), X, y, old, 10, "backbone")

    for parameter in backbone.parameters():
        parameter.requires_grad = False
    model = nn.Sequential(backbone, nn.Linear(64, 5))
    trainable = [p for p in model.parameters() if p.requires_grad]
    fit(model, torch.optim.Adam(trainable, lr=1e-2), X, y - 5, train, 40, "head")
    with torch.no_grad():
        accuracy = (model(X[test]).argmax(1) == y[test] - 5).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
