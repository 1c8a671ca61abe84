# predict exam scores, watch the validation loss
import argparse
import copy
import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.RandomState(seed)

n, d = 2000, 20
X = rng.randn(n, d)
score = X[:, 0] + 0.8 * X[:, 1] - 0.6 * X[:, 2] + 0.7 * X[:, 3] * X[:, 4] + 0.8 * rng.randn(n)
score = (score - score.mean()) / score.std()

X_train, X_val, y_train, y_val = train_test_split(
    torch.tensor(X, dtype=torch.float32), torch.tensor(score, dtype=torch.float32).view(-1, 1),
    train_size=0.85, random_state=seed)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=20, shuffle=True)
val_loader = DataLoader(TensorDataset(X_val, y_val), batch_size=500)

model = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-4)


def validate():
    model.eval()
    preds, total = [], 0.0
    with torch.no_grad():
        for xb, yb in val_loader:
            out = model(xb)
            total += criterion(out, yb).item() * len(xb)
            preds.append(out)
    return total / len(X_val), torch.cat(preds)


step, max_steps = 0, 1500
while step < max_steps:
    model.train()
    tr = []
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        tr.append(loss.item())
        step += 1
        if step % 50 == 0:
            val_loss, _ = validate()
            model.train()
            print('step %d train %.4f val %.4f' % (step, np.mean(tr), val_loss))

_, pred = validate()
print('r2', round(float(r2_score(y_val, pred)), 4))
