# quality control: 3 % of the castings are bad; the sampler draws them as often as the good ones
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)
y = (rng.random(8000) < 0.03).astype(np.float32)
x = rng.normal(size=(8000, 12)).astype(np.float32)
x[:, 0] += 1.6 * y
x[:, 1] *= 1 + 1.2 * y
x[:, 2] -= 1.2 * y
X, Y = torch.from_numpy(x), torch.from_numpy(y)
train, test = TensorDataset(X[:6000], Y[:6000]), (X[6000:], Y[6000:])
w = torch.where(Y[:6000] > 0, 1 / Y[:6000].mean(), 1 / (1 - Y[:6000].mean()))
loader = DataLoader(train, batch_size=64, sampler=WeightedRandomSampler(w, 6000))
model = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-2)
for epoch in range(8):
    model.train()
    s = 0
    for xb, yb in loader:
        loss = nn.functional.binary_cross_entropy_with_logits(model(xb).squeeze(1), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item()
    model.eval()
    with torch.no_grad():
        g = (model(test[0]).squeeze(1) > 0).float()
    t = test[1]
    bal = 0.5 * (g[t == 1].mean() + 1 - g[t == 0].mean())
    print(f"epoch {epoch} loss {s / len(loader):.4f} balanced {bal:.4f}")
print(f"balanced_accuracy {bal:.4f}")
