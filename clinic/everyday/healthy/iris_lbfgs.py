import argparse
import torch
from sklearn.datasets import load_iris

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
X, y = load_iris(return_X_y=True)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float64)
y = torch.tensor(y)
order = torch.randperm(150)
tr, te = order[:110], order[110:]
W = torch.zeros(4, 3, dtype=torch.float64, requires_grad=True)
b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
opt = torch.optim.LBFGS([W, b], lr=0.5, max_iter=4)


def closure():
    opt.zero_grad()
    loss = torch.nn.functional.cross_entropy(X[tr] @ W + b, y[tr]) + 5e-3 * W.pow(2).sum()
    loss.backward()
    return loss


for it in range(80):
    loss = opt.step(closure)
    if it % 8 == 0:
        print(it, loss.item())
with torch.no_grad():
    print("accuracy", ((X[te] @ W + b).argmax(1) == y[te]).double().mean().item())
