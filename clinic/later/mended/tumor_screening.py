import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description="benign or malignant")
parser.add_argument("--seed", default=0, type=int)
parser.add_argument("--epochs", default=20, type=int)
args = parser.parse_args()

torch.manual_seed(args.seed)
data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(
    data.data, data.target, test_size=0.3, stratify=data.target, random_state=args.seed)

scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

as_float = lambda a: torch.tensor(np.asarray(a), dtype=torch.float32)
train_ds = TensorDataset(as_float(X_train), as_float(y_train))
test_ds = TensorDataset(as_float(X_test), as_float(y_test))
train_loader = DataLoader(train_ds, batch_size=16, shuffle=True)
test_loader = DataLoader(test_ds, batch_size=64)

model = nn.Sequential(
    nn.Linear(30, 32), nn.LeakyReLU(0.1),
    nn.Linear(32, 16), nn.LeakyReLU(0.1),
    nn.Linear(16, 1),
)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-2)


def run_epoch():
    model.train()
    total = 0
    for xb, yb in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(-1), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * xb.size(0)
    return total / len(train_ds)


def test():
    model.eval()
    hits = [0, 0]
    count = [0, 0]
    with torch.no_grad():
        for xb, yb in test_loader:
            guess = (model(xb).squeeze(-1) > 0).float()
            for k in (0, 1):
                hits[k] += ((guess == yb) & (yb == k)).sum().item()
                count[k] += (yb == k).sum().item()
    return 0.5 * (hits[0] / count[0] + hits[1] / count[1])


for epoch in range(args.epochs):
    loss = run_epoch()
    if epoch % 4 == 3:
        print(f"[{epoch + 1}] loss={loss:.4f} balanced={test():.3f}")
print(f"balanced_accuracy {test():.4f}")
