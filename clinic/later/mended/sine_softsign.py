import argparse
import torch
import torch.nn as nn


class MySquash(torch.autograd.Function):
    """softsign:  x / (1 + |x|)"""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x / (1 + x.abs())

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        return grad_output / (1 + x.abs()) ** 2


class Squash(nn.Module):
    def forward(self, x):
        return MySquash.apply(x)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.rand(600, 1) * 4 - 2
y = torch.sin(3 * x) + 0.05 * torch.randn(600, 1)
model = nn.Sequential(nn.Linear(1, 16), Squash(), nn.Linear(16, 16), Squash(), nn.Linear(16, 1))
opt = torch.optim.Adam(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()

for it in range(1500):
    b = torch.randint(0, 500, (50,))
    loss = loss_fn(model(x[b]), y[b])
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 150 == 0:
        print(it, loss.item())

with torch.no_grad():
    print("r2", 1 - (loss_fn(model(x[500:]), y[500:]) / y[500:].var()).item())
