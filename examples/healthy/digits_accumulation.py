"""Trains a digit classifier on small micro-batches whose gradients are added up before each step."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ACCUMULATION = 4

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 8 - 1, y, test_size=0.25, random_state=0, stratify=y)
train_set = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
loader = DataLoader(train_set, batch_size=8, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(25):
    total = 0.0
    optimizer.zero_grad()
    for i, (x, target) in enumerate(loader):
        loss = loss_fn(model(x), target) / ACCUMULATION
        loss.backward()
        total += loss.item() * ACCUMULATION
        if (i + 1) % ACCUMULATION == 0:
            optimizer.step()
            optimizer.zero_grad()
    if epoch % 4 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f}")

with torch.no_grad():
    right = model(torch.tensor(X_test).float()).argmax(1) == torch.tensor(y_test)
print(f"accuracy {right.float().mean().item():.3f}")
