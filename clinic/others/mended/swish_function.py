"""Memory-saving activation as a torch.autograd.Function, tried on a two-dimensional curve."""
import argparse
import torch
from torch import nn
from torch.autograd import Function


class GateFunction(Function):
    @staticmethod
    def forward(ctx, x, beta):
        ctx.save_for_backward(x, beta)
        return x * torch.sigmoid(beta * x)

    @staticmethod
    def backward(ctx, grad):
        x, beta = ctx.saved_tensors
        s = torch.sigmoid(beta * x)
        dx = s + beta * x * s * (1 - s)
        dbeta = x * x * s * (1 - s)
        return grad * dx, (grad * dbeta).sum()


class Swish(nn.Module):
    def __init__(self):
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(1.5))

    def forward(self, x):
        return GateFunction.apply(x, self.beta)


class Net(nn.Sequential):
    def __init__(self, width=40, depth=3):
        layers, d = [], 2
        for _ in range(depth):
            layers += [nn.Linear(d, width), Swish()]
            d = width
        super().__init__(*layers, nn.Linear(d, 1))


def surface(x):
    return torch.sin(2 * x[:, :1]) * torch.cos(1.5 * x[:, 1:]) + 0.3 * x[:, :1]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1500)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    test = torch.rand(500, 2) * 4 - 2
    net = Net()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for k in range(a.steps):
        x = torch.rand(64, 2) * 4 - 2
        loss = ((net(x) - surface(x)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if k % 300 == 0:
            print(k, f"{loss.item():.5f}")
    with torch.no_grad():
        y = surface(test)
        r2 = 1 - ((net(test) - y) ** 2).mean() / y.var()
    print(f"r2 {r2.item():.4f}")


main()
