import argparse

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

bunch = load_breast_cancer()
order = torch.randperm(len(bunch.target))
x = torch.tensor(bunch.data, dtype=torch.float32)[order]
y = torch.tensor(bunch.target, dtype=torch.float32)[order]
x = (x - x[:400].mean(0)) / x[:400].std(0)

net = nn.Sequential(nn.Linear(30, 12), nn.ReLU(), nn.Linear(12, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
for step in range(300):
    optimizer.zero_grad()
    loss = criterion(net(x[:400]), y[:400])
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, round(loss.item(), 4))
with torch.no_grad():
    print(f"accuracy {((net(x[400:]) > 0).float() == y[400:]).float().mean().item():.3f}")
