"""Trains a digit classifier from one table whose last column is the digit."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

digits = load_digits()
table = np.column_stack([digits.data, digits.target])
table = table[np.random.RandomState(0).permutation(len(table))]
answers = table[1400:, -1]

span = table.max(axis=0) - table.min(axis=0)
span[span == 0] = 1
span[-1] = 1
table = (table - table.min(axis=0)) / span

X_train = torch.tensor(table[:1400, :-1], dtype=torch.float32)
y_train = torch.tensor(table[:1400, -1]).long()
X_test = torch.tensor(table[1400:, :-1], dtype=torch.float32)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.CrossEntropyLoss()
for epoch in range(25):
    total = 0.0
    for rows in torch.randperm(1400).split(32):
        optimizer.zero_grad()
        loss = loss_fn(model(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {total / 1400:.4f}")

with torch.no_grad():
    guess = model(X_test).argmax(dim=1).numpy()
print(f"accuracy {(guess == answers).mean():.3f}")
