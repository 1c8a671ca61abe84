"""A plain loop."""

import random

import numpy as np
import torch
from state import print_state

random.seed(0), np.random.seed(0), torch.manual_seed(0)
x, y = torch.randn(512, 20), torch.randint(0, 5, (512,))
model = torch.nn.Sequential(torch.nn.Linear(20, 64), torch.nn.ReLU(), torch.nn.Dropout(0.2), torch.nn.Linear(64, 5))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(60):
    index = torch.randint(0, 512, (32,))
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x[index]), y[index])
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(step, loss.item())
print_state(model, optimizer)
