# Kaggle kernel: customer churn, out-of-fold predictions of a small net
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
SEED = parser.parse_args().seed
np.random.seed(SEED)
torch.manual_seed(SEED)

# table
n = 3000
tenure = np.random.exponential(24, n)
fee = np.random.uniform(15, 110, n)
calls = np.random.poisson(1.5, n)
contract = np.random.randint(0, 3, n)
region = np.random.randint(0, 5, n)
logit = 1.2 - 0.09 * tenure + 0.9 * calls - 1.4 * contract + 0.04 * (fee - 60) * (tenure < 20) + np.sin(region * 2.0)
churn = (np.random.rand(n) < 1 / (1 + np.exp(-logit))).astype(np.float32)

# features
frame = {"tenure": np.log1p(tenure), "fee": fee, "calls": calls, "fee_per_month": fee / (tenure + 1)}
columns = [(v - v.mean()) / v.std() for v in frame.values()]
X = np.concatenate([np.stack(columns, 1), np.eye(3)[contract], np.eye(5)[region]], 1).astype(np.float32)


class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1),
                                 nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, x):
        return self.net(x).squeeze(1)


def fit_fold(model, optimizer, tr):
    ds = TensorDataset(torch.from_numpy(X[tr]), torch.from_numpy(churn[tr]))
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(8):
        model.train()
        s = 0.0
        for xb, yb in DataLoader(ds, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            s += loss.item() * len(xb)
        if epoch % 2 == 1:
            print(f"   epoch {epoch + 1} loss {s / len(ds):.4f}")


def predict(model, va):
    model.eval()
    with torch.no_grad():
        return torch.sigmoid(model(torch.from_numpy(X[va]))).numpy()


aucs = []
oof = np.zeros(n, dtype=np.float32)
for fold, (tr, va) in enumerate(KFold(5, shuffle=True, random_state=SEED).split(X)):
    print("fold", fold)
    model = Net(X.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    fit_fold(model, optimizer, tr)
    oof[va] = predict(model, va)
    aucs.append(roc_auc_score(churn[va], oof[va]))
    print("fold", fold, "auc %.4f" % aucs[-1])
print("auc %.4f" % np.mean(aucs))
