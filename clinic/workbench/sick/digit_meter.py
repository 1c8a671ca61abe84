"""Read the last wheel of a water meter."""
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)

D = load_digits()
X = torch.tensor(D.data, dtype=torch.float32) / 8 - 1
Y = torch.tensor(D.target)
perm = torch.randperm(len(X))
X, Y = X[perm], Y[perm]
Xe, Ye = X[1400:], Y[1400:]
loader = DataLoader(TensorDataset(X[:1400], Y[:1400]), batch_size=35, shuffle=True)

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(20):
    for xb, yb in loader:
        loss = nn.functional.mse_loss(net(xb).squeeze(1), yb.float())
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 6 == 0:
        print('epoch', epoch, 'loss', loss.item())

with torch.no_grad():
    read = net(Xe).squeeze(1).round().long()
print('accuracy', (read == Ye).float().mean().item())
