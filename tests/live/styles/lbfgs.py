"""LBFGS with a closure."""

import torch
from state import print_state

torch.manual_seed(3)
x = torch.linspace(-2, 2, 64).unsqueeze(1)
y = torch.sin(3 * x)
model = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(x), y)
    loss.backward()
    return loss


for step in range(25):
    loss = optimizer.step(closure)
    if step % 5 == 0:
        print(step, loss.item())
print_state(model, optimizer)
