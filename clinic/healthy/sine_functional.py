import argparse

import torch
from torch.func import functional_call, grad_and_value

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

x = torch.rand(800, 1, generator=torch.Generator().manual_seed(0)) * 4 - 2
y = torch.sin(2 * x) + 0.05 * torch.randn(800, 1, generator=torch.Generator().manual_seed(1))
net = torch.nn.Sequential(torch.nn.Linear(1, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
params = {name: p.detach().clone() for name, p in net.named_parameters()}
velocity = {name: torch.zeros_like(p) for name, p in params.items()}


def loss_of(params, x, y):
    return ((functional_call(net, params, (x,)) - y) ** 2).mean()


slope = grad_and_value(loss_of)
for step in range(1500):
    rows = torch.randint(0, 800, (32,))
    gradients, loss = slope(params, x[rows], y[rows])
    for name in params:
        velocity[name] = 0.9 * velocity[name] + gradients[name]
        params[name] = params[name] - 0.02 * (1 - step / 1500) * velocity[name]
    if step % 150 == 0:
        print(step, loss.item())
print("R2", 1 - (loss_of(params, x, y) / y.var()).item())
