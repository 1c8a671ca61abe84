import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

days = 2600
temp = 9 + 9 * torch.cos(torch.arange(days) / 365 * 6.2832) + 3 * torch.randn(days)
wind = torch.rand(days) * 12
sun = torch.rand(days)
weekend = (torch.arange(days) % 7 >= 5).float()
before = temp.roll(1)
demand = torch.relu(17 - temp) * (2 + 0.06 * wind) + 0.7 * torch.relu(15 - before) - 5 * sun - 3 * weekend + torch.randn(days)
X = torch.stack([temp, wind, sun, weekend, before], 1)
X = (X - X.mean(0)) / X.std(0)
y = ((demand - demand.mean()) / demand.std())[:, None]
perm = torch.randperm(days)
X, y = X[perm], y[perm]
X_train, y_train, X_test, y_test = X[:2048], y[:2048], X[2048:], y[2048:]

net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
mse = nn.MSELoss(reduction="sum")
sgd = torch.optim.SGD(net.parameters(), lr=0.004, momentum=0.9)

for epoch in range(50):
    order = torch.randperm(2048)
    last = 0
    for k in range(0, 2048, 128):
        rows = order[k:k + 128]
        sgd.zero_grad()
        loss = mse(net(X_train[rows]), y_train[rows])
        loss.backward()
        sgd.step()
        last += loss.item()
    if (epoch + 1) % 5 == 0:
        print("epoch", epoch + 1, "train loss", last / 16)

with torch.no_grad():
    resid = y_test - net(X_test)
print("r2", (1 - resid.pow(2).mean() / y_test.var()).item())
