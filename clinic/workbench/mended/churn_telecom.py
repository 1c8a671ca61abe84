# who cancels next month? export of the billing system, one row a customer
import argparse
import numpy as np
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
args = ap.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

n = 4000
months = rng.integers(1, 72, n).astype(float)
fee = rng.normal(62, 18, n)
total = months * fee + rng.normal(0, 60, n)
data_mb = rng.gamma(3.0, 4000.0, n)
calls = rng.poisson(2.0, n).astype(float)
contract = rng.integers(0, 3, n).astype(float)
z = 1.2 * (calls - 2) - 1.6 * (contract - 1) - 0.05 * (months - 36) + 0.04 * (fee - 62) + 0.3
y = (z + rng.logistic(0, 0.6, n) > 0).astype(np.float32)
X = np.stack([months, fee, total, data_mb, calls, contract], 1)

mu, sd = X[:3000].mean(0), X[:3000].std(0)
Xtr = torch.tensor((X[:3000] - mu) / sd, dtype=torch.float32)
Xte = torch.tensor((X[3000:] - mu) / sd, dtype=torch.float32)
ytr, yte = torch.tensor(y[:3000]), torch.tensor(y[3000:])

model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05)
lossf = nn.BCEWithLogitsLoss()

for epoch in range(30):
    perm = torch.randperm(3000)
    tot = 0.0
    for i in range(0, 3000, 50):
        idx = perm[i:i + 50]
        loss = lossf(model(Xtr[idx]).squeeze(1), ytr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    if epoch % 5 == 0:
        print('epoch', epoch, 'loss', round(tot / 60, 4))

with torch.no_grad():
    p = (model(Xte).squeeze(1) > 0).float()
print('accuracy', round((p == yte).float().mean().item(), 4))
