import argparse
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits


def parameters(sizes, std):
    ws = [torch.empty(a, b) for a, b in zip(sizes, sizes[1:])]
    for w in ws:
        w.normal_(0.0, std if std is not None else (2 / w.shape[0]) ** 0.5)
    bs = [torch.zeros(b) for b in sizes[1:]]
    return [t.requires_grad_() for t in ws], [t.requires_grad_() for t in bs]


def network(x, ws, bs):
    for w, b in zip(ws[:-1], bs[:-1]):
        x = F.relu(x @ w + b)
    return x @ ws[-1] + bs[-1]


ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X, dtype=torch.float32) / 16, torch.tensor(y)
order = torch.randperm(len(X))
X, y = X[order], y[order]

ws, bs = parameters([64, 80, 80, 80, 10], 1.0)
opt = torch.optim.SGD(ws + bs, lr=0.1)
for epoch in range(25):
    for i in torch.randperm(1300).split(40):
        loss = F.cross_entropy(network(X[i], ws, bs), y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 5 == 0:
        print(epoch, round(loss.item(), 4))
with torch.no_grad():
    print("accuracy", round((network(X[1300:], ws, bs).argmax(1) == y[1300:]).float().mean().item(), 4))
