# logistic regression the NumPy way, but with autograd
import sys
import numpy as np
import torch
from sklearn.datasets import load_breast_cancer

seed = int(sys.argv[2]) if '--seed' in sys.argv else 0
np.random.seed(seed)
torch.manual_seed(seed)

d = load_breast_cancer()
X = (d.data - d.data.mean(axis=0)) / d.data.std(axis=0)
y = d.target.astype(float)
perm = np.random.permutation(len(X))
X, y = torch.from_numpy(X[perm]).float(), torch.from_numpy(y[perm]).float()
X_train, y_train, X_test, y_test = X[:400], y[:400], X[400:], y[400:]

w = torch.zeros(30, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def sigmoid(z):
    return 1 / (1 + torch.exp(-z))


def cost(p, y):
    eps = 1e-6
    return -(y * torch.log(p + eps) + (1 - y) * torch.log(1 - p + eps)).mean()


lr = 0.1
batch = 40
for epoch in range(400):
    order = torch.randperm(400)
    for k in range(0, 400, batch):
        i = order[k:k + batch]
        p = sigmoid(X_train[i] @ w + b)
        J = cost(p, y_train[i])
        J.backward()
        w.data -= lr * w.grad
        b.data -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
    if epoch % 50 == 0:
        print('epoch', epoch, 'cost', J.item())

with torch.no_grad():
    p = sigmoid(X_test @ w + b)
    acc = ((p > 0.5).float() == y_test).float().mean().item()
print('accuracy', round(acc, 4))
