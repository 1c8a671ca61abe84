"""A transformer encoder with activation checkpointing of both kinds, and anomaly-free double backward."""

import torch
from state import print_state
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(13)
layers = nn.ModuleList([nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True) for _ in range(2)])
head = nn.Linear(16, 4)
optimizer = torch.optim.AdamW([*layers.parameters(), *head.parameters()], lr=1e-3)
for step in range(30):
    x = torch.randn(8, 6, 16, requires_grad=True)
    y = torch.randint(0, 4, (8,))
    hidden = checkpoint(layers[0], x, use_reentrant=False)
    hidden = checkpoint(layers[1], hidden, use_reentrant=True)
    loss = nn.functional.cross_entropy(head(hidden.mean(1)), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())
print_state(layers, head, optimizer)
