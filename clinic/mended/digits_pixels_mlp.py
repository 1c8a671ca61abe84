"""Handwritten digits, 8 by 8 pixels, with a two-layer network."""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=25)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
pixels = (digits.images / 16).astype(np.float32)
dataset = TensorDataset(torch.from_numpy(pixels).float(), torch.from_numpy(digits.target))
train_set, test_set = random_split(dataset, [1400, 397], generator=torch.Generator().manual_seed(5))
loader = DataLoader(train_set, batch_size=40, shuffle=True)

model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 100), torch.nn.Tanh(), torch.nn.Linear(100, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
for epoch in range(1, args.epochs + 1):
    total = 0
    for x, y in loader:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    scheduler.step()
    print(f"{epoch:2d} | {total / len(train_set):.4f}")

hits = 0
with torch.no_grad():
    for x, y in DataLoader(test_set, batch_size=397):
        hits += (model(x).argmax(1) == y).sum().item()
print(f"accuracy {hits / len(test_set):.4f}")
