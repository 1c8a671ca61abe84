# coding: utf-8
# Notebook: disease progression after one year (standardized), tabular data with made-up interactions
import argparse
import numpy as np
import torch
from sklearn.datasets import load_diabetes
from torch.utils.data import DataLoader, TensorDataset

a = argparse.ArgumentParser()
a.add_argument("--seed", type=int, default=0)
SEED = a.parse_args().seed
torch.manual_seed(SEED)
rng = np.random.RandomState(SEED)

# the cohort is small: resample the patients with a little jitter
X0 = load_diabetes(scaled=True).data
X0 = X0 / X0.std(0)
pick = rng.randint(0, len(X0), 3000)
X = X0[pick] + 0.25 * rng.randn(3000, 10)
t = 1.2 * X[:, 2] + 0.9 * X[:, 8] - 0.5 * X[:, 1] + 0.7 * X[:, 3] * X[:, 2] + 0.5 * rng.randn(3000)
cut = 2400
X = (X - X[:cut].mean(0)) / X[:cut].std(0)
t = (t - t[:cut].mean()) / t[:cut].std()
X, t = torch.tensor(X, dtype=torch.float32), torch.tensor(t, dtype=torch.float32).view(-1, 1)

net = torch.nn.Sequential(
    torch.nn.Linear(10, 40),
    torch.nn.ReLU(),
    torch.nn.Linear(40, 40),
    torch.nn.ReLU(),
    torch.nn.Linear(40, 1),
    torch.nn.ReLU(),
)
loader = DataLoader(TensorDataset(X[:cut], t[:cut]), batch_size=50, shuffle=True)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-4)
loss_func = torch.nn.MSELoss()


def score():
    net.eval()
    with torch.no_grad():
        p = net(X[cut:])
    return (1 - ((p - t[cut:]) ** 2).mean() / t[cut:].var()).item()


for epoch in range(1, 21):
    net.train()
    tot = 0
    for xb, tb in loader:
        loss = loss_func(net(xb), tb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tot += loss.item()
    if epoch % 2 == 0:
        print("%3d  mse %.4f  R2 %.4f" % (epoch, tot / len(loader), score()))
print("r2 %.4f" % score())
