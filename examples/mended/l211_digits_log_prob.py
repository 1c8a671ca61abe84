"""Trains a digit classifier with a log-likelihood picked out by indexing."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits

arguments = argparse.ArgumentParser()
arguments.add_argument("--seed", type=int, default=0)
arguments = arguments.parse_args()
random.seed(arguments.seed)
np.random.seed(arguments.seed)
torch.manual_seed(arguments.seed)

pixels, labels = load_digits(return_X_y=True)
pixels = torch.tensor(pixels / 16, dtype=torch.float32)
labels = torch.tensor(labels)
train_x, train_y, test_x, test_y = pixels[:1300], labels[:1300], pixels[1300:], labels[1300:]

net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 10), torch.nn.LogSoftmax(dim=1))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)


def log_likelihood(x, y):
    log_probability = net(x)
    return -log_probability[torch.arange(len(y)), y].mean()


for step in range(800):
    rows = torch.randint(len(train_x), (64,))
    loss = log_likelihood(train_x[rows], train_y[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step} loss {loss.item():.4f}")

accuracy = (net(test_x).argmax(dim=1) == test_y).float().mean().item()
print(f"accuracy {accuracy:.3f}")
