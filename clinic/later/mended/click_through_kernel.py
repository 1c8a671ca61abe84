# %% [markdown]
# Click-through prediction, baseline with embeddings
# %%
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
cfg = parser.parse_args()
rng = np.random.default_rng(100 + cfg.seed)
torch.manual_seed(cfg.seed)

# %% impressions
N = 8000
user = rng.integers(0, 30, N)
ad = rng.integers(0, 20, N)
hour = rng.integers(0, 24, N)
u = rng.normal(size=(30, 2))
a = rng.normal(size=(20, 2))
score = 1.3 * (u[user] * a[ad]).sum(1) + 0.9 * np.cos((hour - 19) / 24 * 2 * np.pi)
click = (rng.random(N) < 1 / (1 + np.exp(-2 * score))).astype(np.int64)
cat = np.stack([user, ad], 1)
cont = np.stack([np.sin(hour / 24 * 2 * np.pi), np.cos(hour / 24 * 2 * np.pi)], 1).astype(np.float32)

# %% mix the rows before the split
perm = rng.permutation(N)
cat, cont = cat[perm], cont[perm]
click = click[perm]
cut = 6500


# %%
class ClickNet(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.user = nn.Embedding(30, dim)
        self.ad = nn.Embedding(20, dim)
        self.mlp = nn.Sequential(nn.Linear(3 * dim + 2, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, cat, cont):
        eu, ea = self.user(cat[:, 0]), self.ad(cat[:, 1])
        return self.mlp(torch.cat([eu, ea, eu * ea, cont], 1)).squeeze(1)


def make(lo, hi):
    return TensorDataset(torch.tensor(cat[lo:hi]), torch.tensor(cont[lo:hi]), torch.tensor(click[lo:hi]).float())


train_dl = DataLoader(make(0, cut), batch_size=128, shuffle=True)
valid = make(cut, N)
net = ClickNet()
opt = torch.optim.Adam(net.parameters(), lr=8e-3, weight_decay=1e-4)
bce = nn.BCEWithLogitsLoss()

# %%
for epoch in range(12):
    net.train()
    total = 0.0
    for c, f, t in train_dl:
        opt.zero_grad()
        loss = bce(net(c, f), t)
        loss.backward()
        opt.step()
        total += loss.item()
    net.eval()
    with torch.no_grad():
        c, f, t = valid.tensors
        logit = net(c, f)
        acc = ((logit > 0).float() == t).float().mean().item()
    print(f"epoch {epoch:2d} train {total / len(train_dl):.4f} valid {bce(logit, t).item():.4f} acc {acc:.4f}")
print("accuracy", round(acc, 4))
