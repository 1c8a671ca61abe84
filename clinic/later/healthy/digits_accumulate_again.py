# the card at home holds only eight pictures: gradients of four parts are added before each step
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 8 - 1, dtype=torch.float32), torch.tensor(y)
perm = torch.randperm(len(X))
X, y = X[perm], y[perm]
model = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.08, momentum=0.9, weight_decay=1e-3)
PARTS = 4
loader = DataLoader(TensorDataset(X[:1376], y[:1376]), batch_size=8, shuffle=True)
for epoch in range(12):
    total = 0.0
    optimizer.zero_grad()
    for i, (xb, yb) in enumerate(loader):
        loss = nn.functional.cross_entropy(model(xb), yb) / PARTS
        loss.backward()
        total += loss.item() * PARTS
        if (i + 1) % PARTS == 0:
            optimizer.step()
            optimizer.zero_grad()
    with torch.no_grad():
        acc = (model(X[1376:]).argmax(1) == y[1376:]).float().mean().item()
    print(f"epoch {epoch} loss {total / len(loader):.4f} test {acc:.4f}")
print(f"accuracy {acc:.4f}")
