"""A gradient penalty (autograd.grad with create_graph) and an optimizer that steps twice through its parent."""

import torch
from state import print_state
from torch import nn

torch.manual_seed(14)


class Halving(torch.optim.SGD):
    def step(self, closure=None):
        result = super().step(closure)
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    p.mul_(0.9999)
        return result


critic = nn.Sequential(nn.Linear(3, 16), nn.Softplus(), nn.Linear(16, 1))
plain = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)  # makes SGD.step a hooked one
optimizer = Halving(critic.parameters(), lr=0.01)
for step in range(40):
    x = torch.randn(32, 3, requires_grad=True)
    score = critic(x)
    (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
    loss = score.mean() + 10 * (slope.norm(dim=1) - 1).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(step, loss.item())
print_state(critic, optimizer)
