"""Black-and-white digits (ink or no ink); small constant rate, many passes, nothing fancy."""
import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X > 7, dtype=torch.float32), torch.tensor(y)
perm = torch.randperm(len(X))
X, y = X[perm], y[perm]
model = nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(0.1), nn.Linear(32, 10))
opt = torch.optim.SGD(model.parameters(), lr=0.003, momentum=0.95, weight_decay=5e-3)
for epoch in range(90):
    total = 0.0
    for b in torch.randperm(1400).split(40):
        loss = nn.functional.cross_entropy(model(X[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 15 == 14:
        with torch.no_grad():
            acc = (model(X[1400:]).argmax(1) == y[1400:]).float().mean().item()
        print(f"epoch {epoch + 1} loss {total / 35:.4f} test {acc:.4f}")
print(f"accuracy {acc:.4f}")
