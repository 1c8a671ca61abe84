"""A network for the digits with a gated activation of its own."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn


class Gate(torch.autograd.Function):
    """x · sigmoid(x), keeping one tensor for the backward pass instead of two."""

    @staticmethod
    def forward(ctx, x):
        gate = torch.sigmoid(x)
        ctx.save_for_backward(x, gate)
        return x * gate

    @staticmethod
    def backward(ctx, gradient):
        x, gate = ctx.saved_tensors
        return gradient * gate * (1 + x * (1 - gate))


class Net(nn.Module):
    def __init__(self, width=48, depth=4):
        super().__init__()
        sizes = [64] + [width] * depth
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes[:-1], sizes[1:]))
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        for layer in self.hidden:
            x = Gate.apply(1.7 * layer(x))
        return self.out(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=25)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16.0 - 0.5, dtype=torch.float32), torch.tensor(y)
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(3))
train, test = order[:1400], order[1400:]

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.003, momentum=0.9)
for epoch in range(args.epochs):
    for part in train[torch.randperm(len(train))].split(50):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(X[part]), y[part])
        loss.backward()
        optimizer.step()
    print(f"{epoch} {loss.item():.4f}")
with torch.no_grad():
    print(f"accuracy {(net(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")
