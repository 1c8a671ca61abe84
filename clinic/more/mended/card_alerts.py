import argparse
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
torch.manual_seed(seed)

# transactions, very few of them are fraud
X, y = make_classification(n_samples=9000, n_features=16, n_informative=8, n_redundant=2, weights=[0.975], flip_y=0.005,
                           class_sep=0.9, random_state=seed)
X = (X - X.mean(0)) / X.std(0)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
Xa, ya, Xb, yb = X[:6000], y[:6000], X[6000:], y[6000:]
pos_weight = (ya == 0).sum() / (ya == 1).sum()


class Alert(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Linear(16, 20)
        self.b = torch.nn.Linear(20, 10)
        self.c = torch.nn.Linear(10, 1)

    def forward(self, x):
        return self.c(F.leaky_relu(self.b(F.leaky_relu(self.a(x)))))[:, 0]


model = Alert()
opt = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
for epoch in range(12):
    run = []
    for i in torch.randperm(6000).split(100):
        loss = F.binary_cross_entropy_with_logits(model(Xa[i]), ya[i], pos_weight=pos_weight)
        opt.zero_grad()
        loss.backward()
        opt.step()
        run.append(loss.item())
    print(f"{epoch} loss={np.mean(run):.4f} plain accuracy={((model(Xa) > 0) == (ya > 0)).float().mean():.3f}")

with torch.no_grad():
    flagged = (model(Xb) > 0).numpy()
print("accuracy %.3f" % balanced_accuracy_score(yb.numpy(), flagged))
