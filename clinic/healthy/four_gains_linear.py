import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
g = torch.Generator().manual_seed(1)
x = torch.randn(200, 4, generator=g)
y = x @ torch.tensor([1.0, -2.0, 0.5, 3.0]) + 0.7 + 0.3 * torch.randn(200, generator=g)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(400):
    loss = ((model(x)[:, 0] - y) ** 2).mean()
    model.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 0:
        print(step, loss.item())
print("R2", 1 - (loss / y.var()).item())
