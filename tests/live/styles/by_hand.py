"""Updates by hand with torch.autograd.grad, without modules and without an optimizer."""

import torch
from state import print_state

torch.manual_seed(6)
w1 = (torch.randn(6, 32) * 0.3).requires_grad_()
b1 = torch.zeros(32, requires_grad=True)
w2 = (torch.randn(32, 1) * 0.3).requires_grad_()
params = [w1, b1, w2]
x = torch.randn(128, 6)
y = (x[:, :1] * x[:, 1:2]).tanh()
for step in range(60):
    loss = ((torch.relu(x @ w1 + b1) @ w2 - y) ** 2).mean()
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g in zip(params, grads, strict=True):
            p -= 0.1 * g
    if step % 20 == 0:
        print(step, loss.item())
print_state(params)
