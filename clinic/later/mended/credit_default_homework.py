"""Credit default, data mining homework 5.

Logistic risk with interactions; the applicants answer a questionnaire of 12 items.
"""
import sys
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0
torch.manual_seed(seed)
gen = np.random.RandomState(seed + 7)

X = gen.randn(6000, 12)
risk = 0.9 * X[:, 0] - 0.7 * X[:, 1] + 0.8 * X[:, 2] * X[:, 3] + 0.5 * np.abs(X[:, 4]) - 0.3
y = (gen.rand(6000) < 1 / (1 + np.exp(-risk))).astype(np.float32)
X = X.astype(np.float32)
tr, te = slice(0, 4500), slice(4500, None)
loader = DataLoader(TensorDataset(torch.from_numpy(X[tr]), torch.from_numpy(y[tr])), batch_size=100, shuffle=True)
X_te, y_te = torch.from_numpy(X[te]), torch.from_numpy(y[te])


class Scorecard(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(12, 24)
        self.b = nn.Linear(24, 12)
        self.c = nn.Linear(12, 1)

    def forward(self, x):
        x = torch.tanh(self.a(x))
        x = torch.tanh(self.b(x))
        return torch.sigmoid(self.c(x)).squeeze(1)


net = Scorecard()
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(net.parameters(), lr=0.006, weight_decay=1e-4)


def evaluate():
    with torch.no_grad():
        p = net(X_te)
    p = p.clamp(1e-4, 1 - 1e-4)
    log_loss = -(y_te * p.log() + (1 - y_te) * (1 - p).log()).mean().item()
    return log_loss, p.mean().item()


for epoch in range(1, 21):
    losses = []
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    log_loss, rate = evaluate()
    if epoch % 4 == 0:
        print("epoch %d  loss %.4f  log loss %.3f  mean risk %.3f (true %.3f)" % (epoch, np.mean(losses), log_loss, rate, y_te.mean()))
print("neg_log_loss %.4f" % -log_loss)
