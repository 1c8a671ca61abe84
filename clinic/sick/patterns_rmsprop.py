import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
args = p.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(0)

# 64 sensors: class 1 has most of them on, class 0 most of them off
y = rng.integers(0, 2, 3000)
X = np.where(rng.random((3000, 64)) < np.where(y == 1, 0.6, 0.4)[:, None], 1.0, -1.0)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32).unsqueeze(1)
loader = DataLoader(TensorDataset(X[:2400], y[:2400]), batch_size=32, shuffle=True)

net = nn.Sequential(
    nn.Linear(64, 50),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(50, 50),
    nn.ReLU(),
    nn.Dropout(0.2),
    nn.Linear(50, 1),
    nn.Softmax(dim=1),
)
optimizer = torch.optim.RMSprop(net.parameters(), lr=3e-4)
criterion = nn.BCELoss()
for epoch in range(6):
    net.train()
    for step, (xb, yb) in enumerate(loader):
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
net.eval()
with torch.no_grad():
    accuracy = ((net(X[2400:]) > 0.5) == (y[2400:] > 0.5)).float().mean()
print(f"accuracy {accuracy:.3f}")
