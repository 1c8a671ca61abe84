# Lab report: recover the source strength from an array of ten neighbouring sensors (linear model)
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)

n = 2000
common = rng.normal(size=(n, 1))
own = rng.normal(size=(n, 10))
sensors = common + 0.08 * own
strength = 0.5 * common[:, 0] + own @ rng.choice([-1.0, 1.0], 10) * 0.5 + 0.1 * rng.normal(size=n)

cut = 1600
mean, std = sensors[:cut].mean(0), sensors[:cut].std(0)
X = (sensors - mean) / std
values, vectors = np.linalg.eigh(np.cov(X[:cut].T))
X = X @ vectors / np.sqrt(values)
y = (strength - strength[:cut].mean()) / strength[:cut].std()
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)


class LinearModel(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(d))
        self.b = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        return x @ self.w + self.b


model = LinearModel(X.shape[1])
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
loader = DataLoader(TensorDataset(X[:cut], y[:cut]), batch_size=40, shuffle=True)
for epoch in range(1, 21):
    total = 0.0
    for xb, yb in loader:
        loss = ((model(xb) - yb) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    with torch.no_grad():
        r2 = 1 - ((model(X[cut:]) - y[cut:]) ** 2).mean().item() / y[cut:].var().item()
    if epoch % 2 == 0:
        print(f"epoch {epoch}: train mse {total / len(loader):.4f}, test R2 {r2:.4f}")
print(f"r2 {r2:.4f}")
