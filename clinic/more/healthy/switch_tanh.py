import argparse

import torch
from torch import nn


class Switch(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(8, 24)
        self.outer = nn.Linear(24, 3)

    def forward(self, x):
        return torch.tanh(self.outer(torch.relu(self.inner(x))))


def relays(n, generator):
    x = torch.randn(n, 8, generator=generator)
    y = torch.stack([x[:, 0] + x[:, 1], x[:, 2] - x[:, 3], x[:, 4]], dim=1).sign()
    return x, y


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
g = torch.Generator().manual_seed(seed)
x, y = relays(1500, g)
x_new, y_new = relays(500, g)
model = Switch()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for epoch in range(40):
    for idx in torch.randperm(len(x)).split(50):
        loss = nn.functional.soft_margin_loss(3 * model(x[idx]), y[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1} loss {loss.item():.4f}")
with torch.no_grad():
    print(f"accuracy {(model(x_new).sign() == y_new).float().mean().item():.3f}")
