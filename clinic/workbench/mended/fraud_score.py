import argparse
import numpy as np
import torch
from torch import nn

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)

CONFIG = {
    'hidden': [48, 24],
    'batch': 50,
    'epochs': 25,
    'optimizer': {'lr': 1e-3, 'betas': (0.9, 0.999), 'eps': 1e-8},
}

n = 4000
amount = rng.lognormal(3, 1, n); hour = rng.uniform(0, 24, n); dist = rng.exponential(30, n); age = rng.gamma(2, 3, n)
night = np.cos((hour - 3) / 12 * np.pi)
s = 1.5 * (np.log(amount) - 3) * night + 1.2 * (np.log1p(dist) - 3) - .8 * np.log1p(age) + 1.2 + rng.logistic(0, .35, n)
X = np.c_[np.log(amount), night, np.sin(hour / 12 * np.pi), np.log1p(dist), np.log1p(age)]
X = (X - X.mean(0)) / X.std(0)
x = torch.tensor(X, dtype=torch.float32)
y = torch.tensor((s > np.median(s)).astype('float32'))

layers, d = [], x.shape[1]
for h in CONFIG['hidden']:
    layers += [nn.Linear(d, h), nn.ReLU()]
    d = h
net = nn.Sequential(*layers, nn.Linear(d, 1))
opt = torch.optim.Adam(net.parameters(), **CONFIG['optimizer'])
loss_fn = nn.BCEWithLogitsLoss()

for epoch in range(CONFIG['epochs']):
    for i in torch.randperm(3200).split(CONFIG['batch']):
        loss = loss_fn(net(x[i]).squeeze(1), y[i])
        opt.zero_grad(); loss.backward(); opt.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            print(epoch + 1, 'loss', round(loss.item(), 4), 'test', loss_fn(net(x[3200:]).squeeze(1), y[3200:]).item())

with torch.no_grad():
    print('accuracy', ((net(x[3200:]).squeeze(1) > 0).float() == y[3200:]).float().mean().item())
