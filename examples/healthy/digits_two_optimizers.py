"""Trains a digit classifier with one optimizer for the encoder and another for the head, on one backward pass."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
train, test = order[:1400], order[1400:]

encoder = nn.Sequential(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 32), nn.SiLU())
head = nn.Linear(32, 10)
slow = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
fast = torch.optim.SGD(head.parameters(), lr=0.1, momentum=0.9)
for epoch in range(25):
    losses = []
    for batch in train[torch.randperm(len(train))].split(40):
        slow.zero_grad()
        fast.zero_grad()
        loss = F.cross_entropy(head(encoder(X[batch])), y[batch])
        loss.backward()
        slow.step()
        fast.step()
        losses.append(loss.item())
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {np.mean(losses):.4f}")

with torch.no_grad():
    accuracy = (head(encoder(X[test])).argmax(1) == y[test]).float().mean().item()
print(f"accuracy {accuracy:.3f}")
