# spirals from the cs231n notes
import argparse
import numpy as np
import torch
import torch.nn as nn

args = argparse.ArgumentParser()
args.add_argument('--seed', type=int, default=0)
args = args.parse_args()
np.random.seed(args.seed)
torch.manual_seed(args.seed)

N, K = 300, 3
X = np.zeros((N * K, 2), dtype='float32')
y = np.zeros(N * K, dtype='int64')
for j in range(K):
    ix = range(N * j, N * (j + 1))
    r = np.linspace(0.05, 1, N)
    t = np.linspace(j * 4, (j + 1) * 4, N) + np.random.randn(N) * 0.15
    X[ix] = np.c_[r * np.sin(t), r * np.cos(t)]
    y[ix] = j
X = X / X.std()
perm = np.random.permutation(N * K)
tr, te = torch.from_numpy(perm[:700]), torch.from_numpy(perm[700:])
X, y = torch.from_numpy(X), torch.from_numpy(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(2, 64)
        self.fc2 = nn.Linear(64, 64)
        self.fc3 = nn.Linear(64, 3)

    def forward(self, x):
        x = self.fc1(x)
        x = self.fc2(x)
        x = self.fc3(x)
        return x


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.003)

for epoch in range(150):
    order = tr[torch.randperm(len(tr))]
    for i in range(0, 700, 35):
        b = order[i:i + 35]
        loss = criterion(net(X[b]), y[b])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 20 == 0:
        acc = (net(X[tr]).argmax(1) == y[tr]).float().mean()
        print('epoch', epoch, 'loss', loss.item(), 'train acc', acc.item())

print('accuracy', round((net(X[te]).argmax(1) == y[te]).float().mean().item(), 4))
