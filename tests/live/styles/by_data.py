"""Updates by hand through .data after backward."""

import torch
from state import print_state

torch.manual_seed(7)
model = torch.nn.Linear(5, 2)
x, y = torch.randn(64, 5), torch.randint(0, 2, (64,))
for step in range(50):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
    if step % 10 == 0:
        print(step, loss.item())
print_state(model)
