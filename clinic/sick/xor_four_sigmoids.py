import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

inputs = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
outputs = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

model = nn.Sequential(nn.Linear(2, 8), nn.Sigmoid(), nn.Linear(8, 1), nn.Sigmoid())
for layer in (model[0], model[2]):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.11, nesterov=True)
criterion = nn.L1Loss()
for epoch in range(4000):
    optimizer.zero_grad()
    loss = criterion(model(inputs), outputs)
    loss.backward()
    optimizer.step()
    if epoch % 400 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    closeness = 1 - (model(inputs) - outputs).abs().mean()
print("agreement", closeness.item())
