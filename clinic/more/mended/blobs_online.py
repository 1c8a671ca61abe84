import argparse

import torch
from sklearn.datasets import make_blobs
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

BATCH = 32
UPDATES = 6000

torch.manual_seed(args.seed)
x, y = make_blobs(n_samples=1200, n_features=3, centers=5, cluster_std=2.6, random_state=7)
x = torch.tensor(x, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(y)
x_train, y_train, x_test, y_test = x[:900], y[:900], x[900:], y[900:]

net = nn.Sequential(nn.Linear(3, 40), nn.ReLU(), nn.Linear(40, 5))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
criterion = nn.CrossEntropyLoss()

queue = torch.empty(0, dtype=torch.long)
for update in range(UPDATES):
    if len(queue) < BATCH:
        queue = torch.randperm(len(x_train))
    pick, queue = queue[:BATCH], queue[BATCH:]
    optimizer.zero_grad()
    loss = criterion(net(x_train[pick]), y_train[pick])
    loss.backward()
    optimizer.step()
    if update % 1000 == 0:
        print("update", update, "loss", f"{loss.item():.3f}")

with torch.no_grad():
    print(f"accuracy {(net(x_test).argmax(1) == y_test).float().mean().item():.3f}")
