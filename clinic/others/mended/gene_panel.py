# ridge-like penalty added by hand
import argparse
import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)

X, y = make_classification(n_samples=1500, n_features=60, n_informative=12, n_redundant=8, n_classes=5,
                           n_clusters_per_class=1, class_sep=1.5, random_state=seed)
X = (X - X.mean(0)) / X.std(0)
X_train, X_test, y_train, y_test = map(torch.tensor, train_test_split(X.astype("float32"), y, test_size=0.2, random_state=seed))


class Panel(torch.nn.Module):
    def __init__(self, n_genes, n_types):
        super().__init__()
        self.l1 = torch.nn.Linear(n_genes, 50)
        self.l2 = torch.nn.Linear(50, n_types)

    def forward(self, x):
        return self.l2(F.relu(self.l1(x)))


def l2_penalty(model):
    total = 0
    for p in model.parameters():
        total = total + (p ** 2).sum()
    return total


lambda_ = 1e-4
model = Panel(60, 5)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(40):
    perm = torch.randperm(len(X_train))
    for b in perm.split(30):
        logits = model(X_train[b])
        ce = F.cross_entropy(logits, y_train[b])
        loss = ce + lambda_ * l2_penalty(model)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch:3d}  ce {ce.item():.4f}  total {loss.item():.4f}")

with torch.no_grad():
    acc = (model(X_test).argmax(1) == y_test).float().mean().item()
print("accuracy", round(acc, 4))
