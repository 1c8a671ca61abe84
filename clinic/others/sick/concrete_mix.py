# regression with my own autograd function, following the "defining new autograd functions" tutorial
import argparse
import numpy as np
import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.default_rng(seed)


class MyLeakyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return torch.where(input > 0, input, 0.1 * input)

    @staticmethod
    def backward(ctx, grad_output):
        input, = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input > 0] *= 0.1
        return grad_input


class Act(nn.Module):
    def forward(self, x):
        return MyLeakyReLU.apply(x)


n = 2000
cement, water, age, ash = rng.uniform(0, 1, (4, n))
strength = 3 * cement - 2 * water + np.log1p(8 * age) + 2 * cement * age - 1.5 * (ash - 0.4) ** 2 * 4 + 0.15 * rng.standard_normal(n)
X = np.c_[cement, water, age, ash]
X = torch.tensor((X - X.mean(0)) / X.std(0)).float()
Y = torch.tensor((strength - strength.mean()) / strength.std()).float().reshape(-1, 1)
Xtr, Ytr, Xva, Yva = X[:1600], Y[:1600], X[1600:], Y[1600:]

model = nn.Sequential(nn.Linear(4, 32), Act(), nn.Linear(32, 32), Act(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.002)
for epoch in range(60):
    for idx in torch.randperm(1600).split(40):
        loss = ((model(Xtr[idx]) - Ytr[idx]) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())

with torch.no_grad():
    res = Yva - model(Xva)
print('r2', round(1 - (res.var() / Yva.var()).item() - (res.mean() ** 2 / Yva.var()).item(), 4))
