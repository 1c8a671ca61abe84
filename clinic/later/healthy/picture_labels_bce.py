# several labels a picture, most of them absent: 16 binary outputs
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
present = (rng.random((4000, 16)) < 0.09).astype(np.float32)
pattern = rng.normal(size=(16, 48))
X = present @ pattern + 0.8 * rng.normal(size=(4000, 48))
X = X / X.std(0)
X, Y = torch.tensor(X, dtype=torch.float32), torch.tensor(present)
net = nn.Sequential(nn.Linear(48, 64), nn.LeakyReLU(), nn.Linear(64, 16))
opt = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 14)
for epoch in range(14):
    tot = 0
    for xb, yb in DataLoader(TensorDataset(X[:3200], Y[:3200]), batch_size=50, shuffle=True):
        loss = nn.functional.binary_cross_entropy_with_logits(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    sched.step()
    with torch.no_grad():
        g = (net(X[3200:]) > 0).float()
    t = Y[3200:]
    f1 = 2 * (g * t).sum() / (g.sum() + t.sum())
    print(f"epoch {epoch} loss {tot / 64:.4f} f1 {f1:.4f}")
print(f"f1 {f1.item():.4f}")
