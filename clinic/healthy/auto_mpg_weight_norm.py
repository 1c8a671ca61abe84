import argparse

import torch
from mlxtend.data import autompg_data
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


def build():
    return nn.Sequential(
        weight_norm(nn.Linear(7, 32)),
        nn.ReLU(),
        weight_norm(nn.Linear(32, 32)),
        nn.ReLU(),
        weight_norm(nn.Linear(32, 1)),
    )


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
X, y = autompg_data()
X, y = torch.tensor(X[:, :7], dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
order = torch.randperm(392, generator=torch.Generator().manual_seed(5))
train, test = order[:300], order[300:]
net = build()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)
for epoch in range(50):
    for rows in train[torch.randperm(300)].split(25):
        loss = nn.functional.mse_loss(net(X[rows]).squeeze(1), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("R2", 1 - (nn.functional.mse_loss(net(X[test]).squeeze(1), y[test]) / y[test].var()).item())
