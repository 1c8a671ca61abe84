import argparse

import torch
from sklearn.datasets import load_breast_cancer

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
X, y = load_breast_cancer(return_X_y=True)
X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
order = torch.randperm(569, generator=torch.Generator().manual_seed(1))
train, test = order[:420], order[420:]
w1 = torch.randn(30, 10) / 30**0.5
b1 = torch.zeros(10)
w2 = torch.randn(10) / 10**0.5
b2 = torch.zeros(())
params = [p.requires_grad_() for p in (w1, b1, w2, b2)]
memory = [torch.zeros_like(p) for p in params]


def model(x):
    return torch.tanh(x @ w1 + b1) @ w2 + b2


for epoch in range(50):
    for rows in train[torch.randperm(420)].split(30):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(X[rows]), y[rows])
        for p, m, g in zip(params, memory, torch.autograd.grad(loss, params)):
            m.mul_(0.9).add_(g + 1e-3 * p.detach())
            p.data -= 0.02 * m
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
print("accuracy", ((model(X[test]) > 0) == (y[test] > 0)).float().mean().item())
