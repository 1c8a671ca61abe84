# heat flow from twelve thermocouples that sit a few millimetres apart
import argparse
import torch

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

n, k = 1500, 12
common = torch.randn(n, 1)
slope = .05 * torch.randn(n, 1)
bend = .04 * torch.randn(n, 1)
s = torch.linspace(-1, 1, k)
temp = common + slope * s + bend * (s ** 2 - .4) + .015 * torch.randn(n, k)
flow = (20 * slope - 25 * bend).squeeze(1) + .3 * common.squeeze(1) + .05 * torch.randn(n)
X = (temp - temp.mean(0)) / temp.std(0)
y = (flow - flow.mean()) / flow.std()

evals, evecs = torch.linalg.eigh(X.T @ X / len(X))
Z = X @ evecs / evals.sqrt()
w = torch.zeros(k, requires_grad=True)
opt = torch.optim.SGD([w], lr=0.05)
ntr = 1200
for epoch in range(60):
    for i in torch.randperm(ntr).split(40):
        loss = ((Z[i] @ w - y[i]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 12 == 11:
        print('epoch', epoch + 1, 'loss', loss.item())

with torch.no_grad():
    e = Z[ntr:] @ w - y[ntr:]
print('r2', 1 - (e ** 2).mean().item() / y[ntr:].var().item())
