# five points and a bent line: out * relu(slope * x + shift) + base
import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

x = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0])
y = torch.tensor([1.0, 0.0, 0.0, 1.0, 2.0]) + 0.01 * torch.randn(5)

slope = torch.tensor([1.0, 1.0], requires_grad=True)
shift = torch.tensor([0.5, -0.5], requires_grad=True)
out = torch.tensor([0.5, 0.5], requires_grad=True)
base = torch.zeros(1, requires_grad=True)
parameters = [slope, shift, out, base]
for step in range(3000):
    hinge = torch.relu(x[:, None] * slope + shift)
    loss = ((hinge @ out + base - y) ** 2).mean()
    gradients = torch.autograd.grad(loss, parameters)
    with torch.no_grad():
        for p, g in zip(parameters, gradients):
            p -= 0.05 * g
    if step % 300 == 0:
        print(f"{step} {loss.item():.6f}")
print("R2", 1 - (loss / y.var(unbiased=False)).item())
