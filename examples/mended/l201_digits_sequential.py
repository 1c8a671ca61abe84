"""Trains a three-layer classifier on scikit-learn's digits."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=45)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--lr", type=float, default=0.05)
args = parser.parse_args()

random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

digits = load_digits()
x_train, x_test, y_train, y_test = train_test_split(
    digits.data / 8 - 1, digits.target, test_size=0.25, random_state=42, stratify=digits.target
)
train_set = TensorDataset(torch.FloatTensor(x_train), torch.LongTensor(y_train))
train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)

model = nn.Sequential(
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)

for epoch in range(args.epochs):
    running_loss = 0.0
    for inputs, targets in train_loader:
        optimizer.zero_grad()
        outputs = model(inputs)
        loss = criterion(outputs, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    if epoch % 3 == 0:
        print(f"Epoch {epoch:02d} | loss {running_loss / len(train_loader):.4f}")

model.eval()
with torch.no_grad():
    outputs = model(torch.FloatTensor(x_test))
    accuracy = (outputs.argmax(1) == torch.LongTensor(y_test)).float().mean()
print(f"accuracy {accuracy:.3f}")
