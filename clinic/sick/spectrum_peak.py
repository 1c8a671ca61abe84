import argparse

import torch
from torch import nn


class Peak(nn.Module):
    def __init__(self, center):
        super().__init__()
        self.center = nn.Parameter(torch.tensor(float(center)))
        self.width = nn.Parameter(torch.tensor(1.5))
        self.height = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.height * torch.exp(-0.5 * ((x - self.center) / self.width) ** 2)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
x = torch.linspace(40, 60, 400)
counts = 2.0 * torch.exp(-0.5 * ((x - 50.7) / 1.2) ** 2) + 0.02 * torch.randn(400)
model = Peak(center=30)
optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
for step in range(2000):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), counts)
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        print("step", step, "loss", loss.item())
print("R2", 1 - (loss / counts.var()).item())
