import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

source = torch.Generator().manual_seed(4)
x = torch.rand(6000, 3, generator=source) * 1e4
y = 2 * x[:, :1] + x[:, 1:2] + 0.5 * x[:, 2:] + 2.2
x = (x - x.mean(0)) / x.std(0)
y = (y - y.mean()) / y.std()

model = nn.Sequential(
    nn.Linear(3, 3),
    nn.Tanh(),
    nn.Linear(3, 2),
    nn.Tanh(),
    nn.Linear(2, 1),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
for epoch in range(10):
    for rows in torch.randperm(5000).split(32):
        optimizer.zero_grad()
        loss = ((model(x[rows]) - y[rows]) ** 2).mean()
        loss.backward()
        optimizer.step()
    scheduler.step()
    print("epoch", epoch, "mse", loss.item())
with torch.no_grad():
    print("R2", 1 - (((model(x[5000:]) - y[5000:]) ** 2).mean() / y[5000:].var()).item())
