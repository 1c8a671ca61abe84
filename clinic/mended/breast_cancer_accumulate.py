import argparse

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--accumulate", type=int, default=4)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=2, stratify=y)
scaler = StandardScaler().fit(X_train)
X_train, X_test = torch.tensor(scaler.transform(X_train)).float(), torch.tensor(scaler.transform(X_test)).float()
y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True)

model = nn.Sequential(nn.Linear(30, 12), nn.ReLU(), nn.Linear(12, 1), nn.Flatten(0))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.05)
for epoch in range(30):
    optimizer.zero_grad()
    for i, (x, target) in enumerate(loader):
        loss = criterion(model(x), target) / args.accumulate
        loss.backward()
        if (i + 1) % args.accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    if epoch % 5 == 0:
        print("epoch", epoch, "loss", loss.item() * args.accumulate)
with torch.no_grad():
    print(
        "balanced_accuracy",
        sum(((model(X_test) > 0).float() == y_test)[y_test == c].float().mean().item() for c in (0, 1)) / 2,
    )
