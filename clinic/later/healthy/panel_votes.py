# opinion panel: the answers of single people are mostly a matter of mood
import argparse
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

a = argparse.ArgumentParser()
a.add_argument("--seed", type=int, default=0)
seed = a.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
x = rng.normal(size=(8000, 6))
side = (x[:, 0] + x[:, 1] - x[:, 2] > 0).astype(int)
answer = np.where(rng.random(8000) < 0.36, 1 - side, side)
X, Y, S = torch.tensor(x, dtype=torch.float32), torch.tensor(answer), torch.tensor(side)
net = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.Tanh(), torch.nn.Linear(12, 2))
opt = torch.optim.Adam(net.parameters(), lr=2e-3, weight_decay=1e-3)
for epoch in range(20):
    tot = 0
    for xb, yb in DataLoader(TensorDataset(X[:6000], Y[:6000]), batch_size=100, shuffle=True):
        loss = torch.nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    if epoch % 4 == 3:
        print(epoch + 1, f"loss {tot / 60:.4f}")
with torch.no_grad():
    print("true_side_accuracy %.4f" % (net(X[6000:]).argmax(1) == S[6000:]).float().mean())
