import argparse
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_digits


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 24, 3, padding=1)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return x.flatten(1)


class Classifier(nn.Module):
    def __init__(self, backbone, n):
        super().__init__()
        self.backbone = backbone
        self.fc = nn.Linear(96, n)

    def forward(self, x):
        return self.fc(self.backbone(x))


def fit(model, optimizer, x, y, epochs):
    for e in range(epochs):
        s = 0.
        for i in torch.randperm(len(x)).split(40):
            optimizer.zero_grad()
            l = F.cross_entropy(model(x[i]), y[i])
            l.backward()
            optimizer.step()
            s += l.item() * len(i)
        print("   loss", round(s / len(x), 4))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

X, Y = load_digits(return_X_y=True)
X = torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) / 8 - 1
Y = torch.tensor(Y)
perm = torch.randperm(len(X))
X, Y = X[perm], Y[perm]
low = Y < 5
Xs, Ys = X[low], Y[low]
Xt, Yt = X[~low], Y[~low] - 5

print("source task: 0-4")
model = Classifier(Backbone(), 5)
optimizer = torch.optim.Adam([{"params": model.backbone.parameters(), "lr": 5e-4}, {"params": model.fc.parameters()}], lr=2e-3)
fit(model, optimizer, Xs, Ys, 2)

print("target task: 5-9, new head, features kept as they are")
for p in model.backbone.parameters():
    p.requires_grad_(False)
model.fc = nn.Sequential(nn.Linear(96, 32), nn.ReLU(), nn.Linear(32, 5))
optimizer = torch.optim.Adam(model.fc.parameters(), lr=2e-3)
n = 600
fit(model, optimizer, Xt[:n], Yt[:n], 25)
with torch.no_grad():
    acc = (model(Xt[n:]).argmax(1) == Yt[n:]).float().mean().item()
print("accuracy", round(acc, 3))
