# %% imports
import sys
import numpy as np
import torch
from mlxtend.data import autompg_data

seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0
rng = np.random.RandomState(seed)
torch.manual_seed(seed)

# %% load
features, mpg = autompg_data()
features = features[:, :7]                       # the last column holds the names
l_per_100km = 235.215 / mpg
idx = rng.permutation(len(features))
tr, te = idx[:300], idx[300:]
mu, sd = features[tr].mean(0), features[tr].std(0)
x = torch.tensor((features - mu) / sd).float()
y = torch.tensor((l_per_100km - l_per_100km[tr].mean()) / l_per_100km[tr].std()).float()

# %% model
net = torch.nn.Sequential(
    torch.nn.Linear(7, 64), torch.nn.ELU(),
    torch.nn.Linear(64, 64), torch.nn.ELU(),
    torch.nn.Linear(64, 1),
)
opt = torch.optim.Adam(net.parameters(), lr=1e-3)

# %% train
history = []
for epoch in range(80):
    rng.shuffle(tr)
    for k in range(0, 300, 20):
        b = tr[k:k + 20]
        pred = net(x[b]).squeeze(-1)
        err = ((pred - y[b]) ** 2).mean()
        opt.zero_grad(); err.backward(); opt.step()
        history.append(err.item())
    if epoch % 20 == 0:
        print("epoch %3d   mse %.4f" % (epoch, np.mean(history[-15:])))

# %% test
with torch.no_grad():
    p = net(x[te])[:, 0]
ss = ((p - y[te]) ** 2).sum() / ((y[te] - y[te].mean()) ** 2).sum()
print("R2", round(1 - ss.item(), 3))
