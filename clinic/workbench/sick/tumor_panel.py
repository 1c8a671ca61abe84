import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer

a = argparse.ArgumentParser()
a.add_argument('--seed', type=int, default=0)
a = a.parse_args()
torch.manual_seed(a.seed)
rng = np.random.RandomState(a.seed)

bc = load_breast_cancer()
X = (bc.data - bc.data.mean(0)) / bc.data.std(0)
order = rng.permutation(len(X))
# same number of both kinds
pos, neg = [order[bc.target[order] == k] for k in (1, 0)]
keep = rng.permutation(np.concatenate([pos[:212], neg]))
X = torch.tensor(X[keep], dtype=torch.float32)
y = torch.tensor(bc.target[keep])
ntr = 300


class Deep(nn.Module):
    def __init__(self, width=32, depth=7):
        super().__init__()
        dims = [30] + [width] * depth
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(dims, dims[1:]))
        self.last = nn.Linear(width, 2)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                m.weight.data.normal_(0.0, 0.01)
                m.bias.data.zero_()

    def forward(self, x):
        for l in self.layers:
            x = torch.relu(l(x))
        return self.last(x)


net = Deep()
opt = torch.optim.SGD(net.parameters(), lr=0.01, weight_decay=1e-3)
for epoch in range(30):
    for i in torch.randperm(ntr).split(25):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(X[i]), y[i])
        loss.backward()
        opt.step()
with torch.no_grad():
    print('accuracy', (net(X[ntr:]).argmax(1) == y[ntr:]).float().mean().item())
