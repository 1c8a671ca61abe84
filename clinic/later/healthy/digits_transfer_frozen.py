"""A trunk trained to read digits is kept fixed; a new head learns from it whether a digit is odd, and whether it is above four."""
import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16 - 0.3, dtype=torch.float32), torch.tensor(y)
perm = torch.randperm(len(X))
X, y = X[perm], y[perm]

trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU())
head = nn.Linear(96, 10)


def fit(features, head, x, t, params, epochs, lr):
    opt = torch.optim.Adam(params, lr=lr)
    for epoch in range(epochs):
        order = torch.randperm(len(x))
        total = 0
        for i in range(0, len(x), 32):
            b = order[i:i + 32]
            loss = nn.functional.cross_entropy(head(features(x[b])), t[b])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(b)
    print(f"{epochs} epochs, loss {total / len(x):.4f}")


fit(trunk, head, X[:800], y[:800], list(trunk.parameters()) + list(head.parameters()), 16, 1e-3)
for q in trunk.parameters():
    q.requires_grad_(False)
trunk.eval()
head = nn.Linear(96, 4)
x, t = X[800:], y[800:] % 2 + 2 * (y[800:] > 4)
cut = 600
fit(trunk, head, x[:cut], t[:cut], head.parameters(), 40, 3e-3)
with torch.no_grad():
    acc = (head(trunk(x[cut:])).argmax(1) == t[cut:]).float().mean().item()
print(f"accuracy {acc:.4f}")
