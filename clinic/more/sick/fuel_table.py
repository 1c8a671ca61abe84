import argparse

import numpy as np
import torch
import torch.nn as nn
from mlxtend.data import autompg_data
from torch.utils.data import DataLoader, TensorDataset

cli = argparse.ArgumentParser()
cli.add_argument("--seed", type=int, default=0)
args = cli.parse_args()
torch.manual_seed(args.seed)

X, y = autompg_data()
X, y = X[:, :7].astype(np.float32), y.astype(np.float32)
order = np.random.RandomState(args.seed).permutation(len(X))
X, y = X[order], y[order]
n_train = 300
train = TensorDataset(torch.from_numpy(X[:n_train]), torch.from_numpy(y[:n_train, None]))
held_x, held_y = torch.from_numpy(X[n_train:]), torch.from_numpy(y[n_train:, None])

model = nn.Sequential(
    nn.Linear(7, 24),
    nn.Tanh(),
    nn.Dropout(0.1),
    nn.Linear(24, 12),
    nn.Tanh(),
    nn.Linear(12, 1),
    nn.Softmax(dim=1),
)
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
mse = nn.MSELoss()
loader = DataLoader(train, batch_size=25, shuffle=True)

for epoch in range(80):
    model.train()
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = mse(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
    if epoch % 10 == 0:
        print("epoch", epoch, "mse", round(total / n_train, 4))

model.eval()
with torch.no_grad():
    residual = ((model(held_x) - held_y) ** 2).mean()
    r2 = 1 - residual / held_y.var(unbiased=False)
print(f"R2 {r2.item():.3f}")
