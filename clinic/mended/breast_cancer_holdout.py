import argparse

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
rng = np.random.default_rng(args.seed)
torch.manual_seed(args.seed)

X, y = load_breast_cancer(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
order = rng.permutation(len(X))
X, y = X[order], y[order]
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).reshape(-1, 1)
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

model = torch.nn.Sequential(torch.nn.Linear(30, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40)
loss_fn = torch.nn.BCEWithLogitsLoss()
for epoch in range(40):
    total = 0.0
    for batch in torch.randperm(400).split(25):
        optimizer.zero_grad()
        loss = loss_fn(model(X_train[batch]), y_train[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() / 16
    scheduler.step()
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", total)
with torch.no_grad():
    print("accuracy", ((model(X_test) > 0) == (y_test > 0.5)).float().mean().item())
