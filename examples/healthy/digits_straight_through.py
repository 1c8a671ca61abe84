"""A network whose hidden code is binary: the gradient passes the threshold as if it were not there."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class Binary(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x > 0).float()

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() < 1).float()


class Coder(nn.Module):
    def __init__(self, bits=64):
        super().__init__()
        self.encode = nn.Linear(64, bits)
        self.classify = nn.Linear(bits, 10)

    def forward(self, x):
        return self.classify(Binary.apply(self.encode(x)))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8.0 - 1.0, dtype=torch.float32), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(5))
train, test = order[:1400], order[1400:]

model = Coder()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(20):
    total = 0.0
    for part in train[torch.randperm(len(train))].split(64):
        loss = nn.functional.cross_entropy(model(X[part]), y[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(part)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {total / len(train):.4f}")
with torch.no_grad():
    print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
