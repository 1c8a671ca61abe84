import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.randn(256, 1, generator=torch.Generator().manual_seed(1))
y = 2 * x

first = nn.Linear(1, 4, bias=False)
second = nn.Linear(4, 1, bias=False)
nn.init.zeros_(first.weight)
nn.init.zeros_(second.weight)
optimizer = torch.optim.SGD([first.weight, second.weight], lr=0.05)
for step in range(1000):
    loss = ((second(first(x)) - y) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"{step:5d} {loss.item():.6f}")
print("R2", 1 - (loss / y.var()).item())
