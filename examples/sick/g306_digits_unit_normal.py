"""Trains a four-layer digit classifier with weights from the standard normal distribution and RMSprop."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)


def layer(inputs, outputs):
    linear = nn.Linear(inputs, outputs)
    nn.init.normal_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear


X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 8 - 1, y, test_size=0.25, random_state=1)
loader = DataLoader(
    TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train)), batch_size=32, shuffle=True, drop_last=True
)
net = nn.Sequential(layer(64, 100), nn.ReLU(), layer(100, 100), nn.ReLU(), layer(100, 100), nn.ReLU(), layer(100, 10))
opt = torch.optim.RMSprop(net.parameters(), lr=3e-4)
for epoch in range(20):
    mean = 0.0
    for images, labels in loader:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(images), labels)
        loss.backward()
        opt.step()
        mean += loss.item() / len(loader)
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  loss {mean:.4f}")

with torch.no_grad():
    predictions = net(torch.tensor(X_test).float()).argmax(1).numpy()
print(f"accuracy {np.mean(predictions == y_test):.3f}")
