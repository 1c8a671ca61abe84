"""Leaves with a status of its own in the middle of training, after output on both streams."""

import sys

import torch
from state import print_state

torch.manual_seed(15)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(100):
    loss = model(torch.randn(8, 4)).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step == 45:
        print_state(model, optimizer)
        print("enough", file=sys.stderr)
        sys.exit(7)
