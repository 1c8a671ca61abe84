"""Trains a wine classifier on six chemical measurements with momentum SGD; contents in percent and milligrams."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

COLUMNS = ["alcohol", "malic_acid", "ash", "flavanoids", "hue", "proline"]


def load():
    frame = load_wine()
    picked = [frame.feature_names.index(name) for name in COLUMNS]
    X = frame.data[:, picked]
    for column in range(5):
        X[:, column] = (X[:, column] - X[:, column].mean()) / X[:, column].std()
    data = TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(frame.target))
    return random_split(data, [128, 50], generator=torch.Generator().manual_seed(0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    train_set, test_set = load()
    loader = DataLoader(train_set, batch_size=16, shuffle=True)
    model = nn.Sequential(nn.Linear(len(COLUMNS), 24), nn.Tanh(), nn.Linear(24, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(40):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 8 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    x, y = next(iter(DataLoader(test_set, batch_size=50)))
    with torch.no_grad():
        print(f"accuracy {(model(x).argmax(1) == y).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
