import sys
import numpy as np
import torch
from torch import nn

seed = 0
for k, v in zip(sys.argv, sys.argv[1:]):
    if k == '--seed':
        seed = int(v)
torch.manual_seed(seed)
r = np.random.default_rng(seed)

kinds = ['ok', 'cold', 'bridge', 'void']
proto = r.normal(0, 1, (4, 2, 12))
lab = r.integers(0, 4, 3000)
sub = r.integers(0, 2, 3000)
meas = proto[lab, sub] + r.normal(0, .7, (3000, 12))
X = torch.tensor((meas - meas.mean(0)) / meas.std(0), dtype=torch.float32)
Y = torch.tensor(lab)


def mlp(sizes, act):
    layers = []
    for a, b in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(a, b), act]
    return nn.Sequential(*layers[:-1])


model = mlp([12, 32, 32, 4], nn.ReLU())
opt = torch.optim.SGD(model.parameters(), lr=0.1)
ce = nn.CrossEntropyLoss()
for epoch in range(30):
    s = 0
    for b in torch.randperm(2400).split(48):
        opt.zero_grad()
        loss = ce(model(X[b]), Y[b])
        loss.backward()
        opt.step()
        s += float(loss)
    if epoch % 10 == 9:
        acc = (model(X[2400:]).argmax(1) == Y[2400:]).float().mean()
        print(f'{epoch + 1}: {s / 50:.3f} {acc:.3f}')
print('accuracy', float(acc))
