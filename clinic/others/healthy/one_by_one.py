# online learning: one example at a time, decaying step, linear model by hand
import argparse
import numpy as np
import torch
from sklearn.datasets import load_diabetes

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)
X, y = load_diabetes(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
y = (y - y.mean()) / y.std()
o = np.random.permutation(len(X))
X, y = torch.tensor(X[o]).float(), torch.tensor(y[o]).float()

w = torch.zeros(10, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
k = 0
for epoch in range(15):
    se = 0.0
    for i in torch.randperm(340):
        k += 1
        lr = 0.02 / (1 + k / 2000)
        loss = (torch.dot(w, X[i]) + b - y[i]).pow(2).sum() / 2
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
        w.grad = None
        b.grad = None
        se += loss.item()
    if epoch % 5 == 0:
        print('epoch', epoch, 'mean loss', se / 340)
with torch.no_grad():
    e = X[340:] @ w + b - y[340:]
print('r2', round((1 - e.pow(2).mean() / y[340:].var()).item(), 4))
