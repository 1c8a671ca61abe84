"""300 genes, 200 patients, 8 genes that matter: a strong penalty on the weights is what the data ask for."""
import argparse
import numpy as np
import torch

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
loading = rng.normal(size=(6, 300))
F = rng.normal(size=(1200, 6))
X = F @ loading / np.sqrt(6) + 0.9 * rng.normal(size=(1200, 300))
y = F @ np.array([1.0, -1, 0.5, 0.5, 0, 0]) + 1.0 * rng.normal(size=1200)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
X = (X - X[:200].mean(0)) / X[:200].std(0)
y = (y - y[:200].mean()) / y[:200].std()

model = torch.nn.Linear(300, 1)
torch.nn.init.zeros_(model.weight)
opt = torch.optim.SGD([{"params": [model.weight], "weight_decay": 2.0}, {"params": [model.bias]}], lr=0.004)
for epoch in range(200):
    order = torch.randperm(200)
    total = 0.0
    for b in order.split(20):
        loss = ((model(X[b]).squeeze(1) - y[b]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item()
    if epoch % 40 == 39:
        with torch.no_grad():
            test = ((model(X[200:]).squeeze(1) - y[200:]) ** 2).mean() / y[200:].var()
        print(f"epoch {epoch + 1} train {total / 10:.4f} test R2 {1 - test:.4f}")
print(f"r2 {1 - test.item():.4f}")
