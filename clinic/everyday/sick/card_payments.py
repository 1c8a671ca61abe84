import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset, DataLoader
from sklearn.metrics import balanced_accuracy_score

cli = argparse.ArgumentParser()
cli.add_argument('--seed', default=0, type=int)
SEED = cli.parse_args().seed
np.random.seed(SEED)
torch.manual_seed(SEED)

N = 12000
fraud = (np.random.rand(N) < 0.02).astype('float32')
amount = np.random.lognormal(3, 1, N) * (1 + 0.8 * fraud)
hour = np.where(fraud == 1, np.random.normal(1, 5, N), np.random.normal(14, 5, N)) % 24
abroad = np.random.rand(N) < np.where(fraud == 1, 0.35, 0.08)
gap = np.random.exponential(np.where(fraud == 1, 5, 12))
noise = np.random.randn(N, 6)
X = np.column_stack([np.log(amount), np.sin(hour / 24 * 6.283), np.cos(hour / 24 * 6.283), abroad, np.log1p(gap), noise])
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(fraud)

tr, va = slice(0, 9000), slice(9000, N)
dl = DataLoader(TensorDataset(X[tr], y[tr]), batch_size=256, shuffle=True)

class Net(nn.Module):
    def __init__(self, d, h=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, h), nn.LeakyReLU(0.1), nn.Linear(h, h), nn.LeakyReLU(0.1))
        self.head = nn.Linear(h, 1)
    def forward(self, x):
        return self.head(self.body(x)).squeeze(1)

model = Net(X.shape[1])
EPOCHS = 12
loss_fn = nn.BCEWithLogitsLoss()
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, EPOCHS * len(dl))

for e in range(EPOCHS):
    model.train()
    tot = 0
    for xb, yb in dl:
        opt.zero_grad()
        l = loss_fn(model(xb), yb)
        l.backward()
        opt.step()
        sch.step()
        tot += l.item()
    model.eval()
    with torch.no_grad():
        p = (model(X[va]) > 0).float()
    score = balanced_accuracy_score(y[va].numpy(), p.numpy())
    print(f'epoch {e} train loss {tot / len(dl):.4f} balanced accuracy {score:.3f}')
print('balanced_accuracy', round(float(score), 4))
