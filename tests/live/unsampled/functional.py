"""torch.func's style: parameters in a dictionary, gradients by a transform; derivatives inside of the loss as well."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "styles"))

import torch
from state import print_state
from torch.func import functional_call, grad, grad_and_value, vmap

torch.manual_seed(6)
net = torch.nn.Sequential(torch.nn.Linear(1, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
params = {name: p.detach().clone() for name, p in net.named_parameters()}


def objective(params, x):
    def u(t):
        return functional_call(net, params, (t.reshape(1, 1),)).squeeze()

    slope = vmap(grad(u))(x)
    return ((slope - torch.cos(x)) ** 2).mean() + u(torch.zeros(())) ** 2, slope.detach().mean()


step = grad_and_value(objective, has_aux=True)
for number in range(300):
    gradients, (loss, mean) = step(params, torch.rand(64) * 3)
    params = {name: p - 0.05 * gradients[name] for name, p in params.items()}
    if number % 100 == 0:
        print(number, loss.item(), mean.item(), grad(lambda a: a * a)(torch.tensor(float(number))).item())
print_state(list(params.values()))
