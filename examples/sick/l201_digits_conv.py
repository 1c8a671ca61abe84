"""Trains a small convolutional network with batch normalization on scikit-learn's 8 by 8 digits."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class ConvNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 24, 3)
        self.head = nn.Linear(24 * 3 * 3, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return F.softmax(self.head(x.flatten(1)), dim=-1)


def batches(count, size):
    order = np.random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]


def run(seed, epochs=15):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    data = load_digits()
    images = torch.tensor(data.images / 8.0 - 1.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(data.target)
    split = np.random.default_rng(11).permutation(len(images))
    train, test = split[:1400], split[1400:]

    model = ConvNet(10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.025, weight_decay=1e-5)
    for epoch in range(1, epochs + 1):
        model.train()
        losses, hits = [], 0
        for rows in batches(len(train), 50):
            rows = train[rows]
            scores = model(images[rows])
            loss = F.cross_entropy(scores, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            hits += (scores.argmax(1) == labels[rows]).sum().item()
        print(f"{epoch:2d}/{epochs} loss {np.mean(losses):.4f} train accuracy {hits / len(train):.3f}")

    model.eval()
    with torch.no_grad():
        predicted = model(images[test]).argmax(1)
    print(f"accuracy {(predicted == labels[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    run(cli.parse_args().seed)
