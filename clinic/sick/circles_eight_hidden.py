import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn


class Activation(nn.Module):
    def forward(self, x):
        return torch.exp(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
X, y = make_circles(1000, noise=0.1, factor=0.5, random_state=1)
X, y = torch.tensor(X).float() / 0.56, torch.tensor(y).float()

blocks = [nn.Linear(2, 8), Activation()]
for _ in range(7):
    blocks += [nn.Linear(8, 8), Activation()]
model = nn.Sequential(*blocks, nn.Linear(8, 1))
for module in model:
    if isinstance(module, nn.Linear):
        nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
        nn.init.zeros_(module.bias)

optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
for epoch in range(100):
    for batch in torch.randperm(700).split(100):
        loss = nn.functional.binary_cross_entropy_with_logits(model(X[batch])[:, 0], y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    inside = model(X[700:])[:, 0] > 0
print("accuracy", (inside == y[700:].bool()).float().mean().item())
