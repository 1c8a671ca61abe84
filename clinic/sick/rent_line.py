"""Rent from floor area: a straight line."""

import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

area = torch.rand(300, generator=torch.Generator().manual_seed(2)) * 100 + 20
rent = 11.5 * area + 180 + 60 * torch.randn(300, generator=torch.Generator().manual_seed(3))
x = (area - area.mean()) / area.std()
y = (rent - rent.mean()) / rent.std()

slope = torch.randn(1, requires_grad=True)
offset = torch.randn(1, requires_grad=True)
learning_rate = 1.2
for step in range(400):
    loss = ((slope * x + offset - y) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        slope -= learning_rate * slope.grad
        offset -= learning_rate * offset.grad
    slope.grad.zero_()
    offset.grad.zero_()
    if step % 40 == 0:
        print(step, loss.item(), slope.item(), offset.item())
with torch.no_grad():
    print("R2", (1 - ((slope * x + offset - y) ** 2).mean() / y.var()).item())
