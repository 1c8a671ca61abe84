import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

d = load_digits()
x = torch.tensor(d.images, dtype=torch.float32) / 16
y = torch.tensor(d.target)
order = torch.randperm(len(x))
x, y = x[order], y[order]
xtr, ytr, xte, yte = x[:1400], y[:1400], x[1400:], y[1400:]


def two_halves(im):
    """upper five rows and lower five rows of the same picture"""
    return im[:, :5].flatten(1), im[:, 3:].flatten(1)


def encoder():
    return nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 16))


top, bottom = encoder(), encoder()
optimizer = torch.optim.Adam(list(top.parameters()) + list(bottom.parameters()), lr=2e-3)
labels = torch.arange(70)

for epoch in range(40):
    tot = 0.0
    for b in torch.randperm(1400).split(70):
        u, v = two_halves(xtr[b])
        a = F.normalize(top(u), dim=1)
        c = F.normalize(bottom(v), dim=1)
        logits = a @ c.t() / 0.2
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        tot += loss.item()
    if epoch % 4 == 3:
        print("epoch", epoch + 1, "loss", tot / 20)

with torch.no_grad():
    def embed(im):
        u, v = two_halves(im)
        return torch.cat([F.normalize(top(u), dim=1), F.normalize(bottom(v), dim=1)], 1)
    near = torch.cdist(embed(xte), embed(xtr)).topk(5, largest=False).indices
    vote = F.one_hot(ytr[near], 10).sum(1).argmax(1)
print("knn_accuracy", (vote == yte).float().mean().item())
