import argparse

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn


def prepare(seed):
    x, y = load_wine(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    return torch.tensor(x[order], dtype=torch.float32), torch.tensor(y[order])


class Wine(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 10)
        self.fc2 = nn.Linear(10, 3)
        self.normalize = nn.LogSoftmax(dim=1)

    def forward(self, x):
        return self.normalize(self.fc2(torch.relu(self.fc1(x))))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
x, y = prepare(seed)
net = Wine()
loss_fn = nn.NLLLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
for epoch in range(100):
    for idx in torch.randperm(120).split(12):
        optimizer.zero_grad()
        loss = loss_fn(net(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch}: {loss.item():.4f}")
hits = 0
with torch.no_grad():
    for row, label in zip(x[120:], y[120:]):
        hits += int(net(row.unsqueeze(0)).argmax(1).item() == label.item())
print(f"accuracy {hits / len(y[120:]):.3f}")
