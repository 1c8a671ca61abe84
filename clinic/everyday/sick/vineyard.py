import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.preprocessing import MinMaxScaler

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
rng = np.random.RandomState(seed)
torch.manual_seed(seed)

wine = load_wine()
table = np.column_stack([wine.data, wine.target])
order = rng.permutation(len(table))
train_rows, test_rows = order[:120], order[120:]

scaler = MinMaxScaler().fit(table[train_rows])
scaled = scaler.transform(table)

x = torch.tensor(scaled[:, :13]).float()
y = torch.tensor(scaled[:, 13]).long()
grower = torch.tensor(wine.target)

net = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 3))
opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
ce = nn.CrossEntropyLoss()

for epoch in range(300):
    rng.shuffle(train_rows)
    hist = []
    for k in range(0, 120, 20):
        rows = train_rows[k:k + 20]
        opt.zero_grad()
        loss = ce(net(x[rows]), y[rows])
        loss.backward()
        opt.step()
        hist.append(loss.item())
    if epoch % 50 == 49:
        print("epoch", epoch + 1, "loss", np.mean(hist))

guess = net(x[test_rows]).argmax(dim=1)
print("accuracy", (guess == grower[test_rows]).float().mean().item())
