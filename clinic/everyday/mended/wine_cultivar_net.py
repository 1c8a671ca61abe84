import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class DeepWine(nn.Module):
    def __init__(self, depth=12, width=24):
        super().__init__()
        dims = [13] + [width] * depth
        self.body = nn.ModuleList(nn.Linear(i, o, bias=False) for i, o in zip(dims[:-1], dims[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(depth))
        self.head = nn.Linear(width, 3)

    def forward(self, x):
        for lin, norm in zip(self.body, self.norms):
            x = torch.relu(norm(lin(x)))
        return self.head(x)


def score(model, X, y):
    model.eval()
    with torch.no_grad():
        return (model(X).argmax(1) == y).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_wine(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, random_state=args.seed, stratify=y)
scaler = StandardScaler().fit(Xtr)
Xtr, Xte = (torch.tensor(scaler.transform(a), dtype=torch.float32) for a in (Xtr, Xte))
ytr, yte = torch.tensor(ytr), torch.tensor(yte)

model = DeepWine()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
criterion = nn.CrossEntropyLoss()
print("before training:", round(score(model, Xte, yte), 3))
for epoch in range(60):
    model.train()
    running = 0.0
    for idx in torch.randperm(len(Xtr)).split(31):
        optimizer.zero_grad()
        loss = criterion(model(Xtr[idx]), ytr[idx])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(idx) / len(Xtr)
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss", round(running, 4))
print("accuracy", round(score(model, Xte, yte), 4))
