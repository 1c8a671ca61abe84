"""Trains a wine classifier with probabilities and a likelihood written out by hand."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
random.seed(seed)
np.random.seed(seed)
torch.manual_seed(seed)

X, y = load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=58, random_state=0, stratify=y)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


def probabilities(scores):
    exponentials = torch.exp(scores - scores.max())
    return exponentials / exponentials.sum(dim=0, keepdim=True)


model = torch.nn.Sequential(torch.nn.Linear(13, 20), torch.nn.Tanh(), torch.nn.Linear(20, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(80):
    for rows in torch.randperm(len(X_train)).split(24):
        p = probabilities(model(X_train[rows]))
        loss = -torch.log(p[torch.arange(len(rows)), y_train[rows]]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")

with torch.no_grad():
    p = torch.cat([probabilities(model(row[None])) for row in X_test])
print(f"accuracy {(p.argmax(1) == y_test).float().mean().item():.3f}")
