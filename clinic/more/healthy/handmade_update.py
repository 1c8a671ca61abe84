import argparse
import math
import torch

# spring constants from swings: no torch.optim, own update with a rate that goes up and down
ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
t = torch.linspace(-1, 1, 800)[:, None]
X = torch.cat([t, torch.rand(800, 1) * 2 - 1], 1)
y = torch.sin(3 * X[:, :1]) * X[:, 1:] + 0.05 * torch.randn(800, 1)
y = y / y.std()
order = torch.randperm(800)
X, y = X[order], y[order]

W1 = (torch.randn(2, 40)).requires_grad_()
b1 = torch.zeros(40, requires_grad=True)
W2 = (torch.randn(40, 1) / 40 ** 0.5).requires_grad_()
b2 = torch.zeros(1, requires_grad=True)
params = [W1, b1, W2, b2]
velocity = [torch.zeros_like(p) for p in params]
for step in range(4000):
    lr = 0.01 + 0.04 * 0.5 * (1 - math.cos(2 * math.pi * step / 400))
    i = torch.randint(0, 640, (32,))
    loss = ((torch.tanh(X[i] @ W1 + b1) @ W2 + b2 - y[i]) ** 2).mean()
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, v, g in zip(params, velocity, grads):
            v.mul_(0.9).add_(g)
            p.sub_(lr * v)
    if step % 500 == 0:
        print(step, round(lr, 4), round(loss.item(), 4))
with torch.no_grad():
    res = torch.tanh(X[640:] @ W1 + b1) @ W2 + b2 - y[640:]
print("R2", round(1 - (res.var() / y[640:].var()).item(), 3))
