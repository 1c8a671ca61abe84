"""A frozen layer and a sparse embedding with its own optimizer."""

import torch
from state import print_state
from torch import nn

torch.manual_seed(9)
embedding = nn.Embedding(100, 8, sparse=True)
body = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
for p in body[0].parameters():
    p.requires_grad_(False)
sparse = torch.optim.SparseAdam(embedding.parameters(), lr=1e-2)
dense = torch.optim.Adagrad([p for p in body.parameters() if p.requires_grad], lr=1e-2)
for step in range(40):
    tokens, y = torch.randint(0, 100, (16, 5)), torch.randint(0, 2, (16,))
    loss = nn.functional.cross_entropy(body(embedding(tokens).mean(1)), y)
    sparse.zero_grad()
    dense.zero_grad()
    loss.backward()
    sparse.step()
    dense.step()
print(loss.item())
print_state(embedding, body, sparse, dense)
