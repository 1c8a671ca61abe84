"""A compiled model, and a compiled step function."""

import torch
from state import print_state

torch.manual_seed(11)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
fast = torch.compile(model, backend="aot_eager")
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)


@torch.compile(backend="aot_eager")
def loss_of(x, y):
    return torch.nn.functional.cross_entropy(fast(x), y)


for step in range(40):
    x, y = torch.randn(16, 8), torch.randint(0, 3, (16,))
    optimizer.zero_grad()
    loss = loss_of(x, y)
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())
print_state(model, optimizer)
