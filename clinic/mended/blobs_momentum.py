import argparse

import torch
from sklearn.datasets import make_blobs
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--steps", type=int, default=3500)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = make_blobs(1000, centers=3, cluster_std=2.0, random_state=2)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
X = (X - X.mean(0)) / X.std(0)
loader = DataLoader(TensorDataset(X[:700], y[:700]), batch_size=args.batch, shuffle=True)
model = nn.Sequential(nn.Linear(2, 50), nn.ReLU(), nn.Linear(50, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
step = 0
while step < args.steps:
    for xb, yb in loader:
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 350 == 0:
            print("step", step, "loss", loss.item())
        if step == args.steps:
            break
with torch.no_grad():
    held = nn.functional.cross_entropy(model(X[700:]), y[700:]).item()
print("log_likelihood", -held)
