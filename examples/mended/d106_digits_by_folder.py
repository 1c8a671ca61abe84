"""Trains a digit recognizer from images that were read class by class, as from one folder for each digit."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits


def read_folder(digit):
    data = load_digits()
    images = data.images[data.target == digit] / 16.0
    return torch.tensor(images, dtype=torch.float32).flatten(1)


def read_everything():
    train_x, train_y, test_x, test_y = [], [], [], []
    for digit in range(10):
        images = read_folder(digit)
        split = int(len(images) * 0.75)
        train_x.append(images[:split])
        test_x.append(images[split:])
        train_y.append(torch.full((split,), digit))
        test_y.append(torch.full((len(images) - split,), digit))
    return torch.cat(train_x), torch.cat(train_y), torch.cat(test_x), torch.cat(test_y)


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(64, 40)
        self.second = torch.nn.Linear(40, 10)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

x, y, x_test, y_test = read_everything()
net = Classifier()
optimizer = torch.optim.RMSprop(net.parameters(), lr=3e-3)
batch_size = 32
for epoch in range(25):
    order = torch.randperm(len(x))
    losses = []
    for i in range(0, len(x), batch_size):
        batch = order[i : i + batch_size]
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 4 == 0:
        print(f"epoch {epoch}: loss {sum(losses) / len(losses):.3f}")

accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
print(f"accuracy {accuracy:.3f}")
