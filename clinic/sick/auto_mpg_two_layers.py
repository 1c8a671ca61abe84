import argparse

import torch
from mlxtend.data import autompg_data
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

X, y = autompg_data()
X = torch.tensor(X[:, :7], dtype=torch.float32)
X = (X - X.mean(0)) / X.std(0)
y = torch.tensor(y, dtype=torch.float32)
y = (y - y.mean()) / y.std()
order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
X, y = X[order], y[order]
loader = DataLoader(TensorDataset(X[:300], y[:300]), batch_size=20, shuffle=True)

model = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 60)
for epoch in range(60):
    for features, mpg in loader:
        out = model(features)
        loss = ((out - mpg) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 6 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")

with torch.no_grad():
    out = model(X[300:]).squeeze(1)
print("R2", (1 - (out - y[300:]).pow(2).mean() / y[300:].var()).item())
