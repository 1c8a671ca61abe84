import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, test_size=0.3, stratify=data.target, random_state=seed)
sc = StandardScaler().fit(X_train)
X_train = torch.tensor(sc.transform(X_train)).float()
X_test = torch.tensor(sc.transform(X_test)).float()
y_train = torch.tensor(y_train).float().view(-1, 1)
y_test = torch.tensor(y_test).float().view(-1, 1)

net = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.SGD(net.parameters(), lr=5e-2)
loss_fn = nn.BCEWithLogitsLoss()

n = len(X_train)
for epoch in range(40):
    perm = torch.randperm(n)
    total = 0.0
    for i in range(0, n, 32):
        idx = perm[i:i + 32]
        loss = loss_fn(net(X_train[idx]), y_train[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "loss", round(total / n, 4))

with torch.no_grad():
    prob = torch.sigmoid(net(X_test))
    skill = 1 - ((prob - y_test) ** 2).mean() / ((y_test.mean() - y_test) ** 2).mean()
print("brier_skill", round(skill.item(), 4))
