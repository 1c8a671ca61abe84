"""Exercise sheet 4: predict the cultivar of a wine, 5-fold cross validation."""
import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
np.random.seed(args.seed)

X, y = load_wine(return_X_y=True)
X = X.astype(np.float32)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(13, 48)
        self.fc2 = nn.Linear(48, 24)
        self.out = nn.Linear(24, 3)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x)


def train(model, loader, optimizer, criterion):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(xb)
    return total / len(loader.dataset)


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


scores = []
skf = StratifiedKFold(5, shuffle=True, random_state=args.seed)
for fold, (tr, va) in enumerate(skf.split(X, y)):
    x_tr = torch.from_numpy(X[tr])
    x_va = torch.from_numpy(X[va])
    y_tr, y_va = torch.from_numpy(y[tr]), torch.from_numpy(y[va])
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=16, shuffle=True)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(24):
        loss = train(model, loader, optimizer, criterion)
        if epoch % 8 == 7:
            print(f"fold {fold} epoch {epoch + 1} loss {loss:.4f} val {evaluate(model, x_va, y_va):.3f}")
    scores.append(evaluate(model, x_va, y_va))
print(f"accuracy {np.mean(scores):.4f}")
