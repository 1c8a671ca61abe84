"""Trains a softmax regression that tells three grape varieties apart by 13 chemical measurements of their wine."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

features, variety = load_wine(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(features, variety, test_size=0.3, random_state=1, stratify=variety)
x_train, x_test = torch.tensor(x_train).float(), torch.tensor(x_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

model = torch.nn.Linear(13, 3)
loss_fn = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(1500):
    optimizer.zero_grad()
    loss = loss_fn(model(x_train), y_train)
    loss.backward()
    optimizer.step()
    if step % 150 == 0:
        print("step", step, "loss", round(loss.item(), 4))

with torch.no_grad():
    right = (model(x_test).argmax(dim=1) == y_test).float().mean()
print(f"accuracy {right.item():.3f}")
