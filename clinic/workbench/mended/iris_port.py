import sys
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_iris

seed = int(sys.argv[sys.argv.index('--seed') + 1]) if '--seed' in sys.argv else 0
torch.manual_seed(seed)
np.random.seed(seed)

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
perm = np.random.permutation(150)
x = torch.tensor(X[perm], dtype=torch.float32)
y = torch.tensor(Y[perm])


def cross_entropy(p, t):
    return float(-np.log(p[np.arange(len(t)), t] + 1e-9).mean())


net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.005)
for step in range(700):
    i = torch.randint(0, 100, (25,))
    opt.zero_grad()
    loss = nn.functional.cross_entropy(net(x[i]), y[i])
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(step, loss.item())

acc = (net(x[100:]).argmax(1) == y[100:]).float().mean().item()
print('accuracy', acc)
