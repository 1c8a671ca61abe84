"""Trains a wine classifier on the first fifty bottles of the table and tests it on the others."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)
order = np.arange(len(X))
X, y = torch.tensor(X[order]).float(), torch.tensor(y[order])
X_train, X_test, y_train, y_test = X[:50], X[50:], y[:50], y[50:]

model = nn.Sequential(nn.Linear(13, 10), nn.ReLU(), nn.Linear(10, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for epoch in range(60):
    for batch in torch.randperm(len(X_train)).split(10):
        loss = F.cross_entropy(model(X_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {loss.item():.5f}")

with torch.no_grad():
    print(f"accuracy {(model(X_test).argmax(1) == y_test).float().mean().item():.3f}")
