"""Trains a digit classifier of two rectified hidden layers with sparse initial activity."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class SparseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 10)
        nn.init.constant_(self.fc1.bias, 0.0)
        nn.init.constant_(self.fc2.bias, 0.0)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
y = torch.tensor(y)
rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(4))
train, test = rows[:1300], rows[1300:]

model = SparseNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(25):
    total = 0.0
    for batch in train[torch.randperm(len(train))].split(32):
        loss = F.cross_entropy(model(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {total / len(train):.4f}")

with torch.no_grad():
    print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
