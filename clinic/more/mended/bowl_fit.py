import argparse

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

side = torch.linspace(-3, 3, 21)
grid = torch.cartesian_prod(side, side)
height = (0.5 * grid[:, 0] ** 2 + 0.25 * grid[:, 1] ** 2 + 1).unsqueeze(1)
noisy = height + 0.1 * torch.randn_like(height)

first = torch.nn.Linear(2, 20)
second = torch.nn.Linear(20, 1)


def predict(x):
    return second(torch.sigmoid(first(x)))


weights = [*first.parameters(), *second.parameters()]
optimizer = torch.optim.SGD(weights, lr=0.05, momentum=0.9)
for it in range(3000):
    optimizer.zero_grad()
    loss = F.mse_loss(predict(grid), noisy)
    loss.backward()
    optimizer.step()
    if it % 500 == 0:
        print(it, loss.item())

with torch.no_grad():
    r2 = 1 - F.mse_loss(predict(grid), height) / height.var()
print(f"R2 {r2.item():.3f}")
