import argparse
import math
import torch
from torch import nn


class RandomFourier(nn.Module):
    def __init__(self, n_in, n_features, scale):
        super().__init__()
        self.project = nn.Linear(n_in, n_features)
        nn.init.normal_(self.project.weight, std=scale)
        nn.init.uniform_(self.project.bias, 0, 2 * math.pi)
        for p in self.project.parameters():
            p.requires_grad_(False)
        self.readout = nn.Linear(n_features, 1)

    def forward(self, x):
        return self.readout(torch.cos(self.project(x)))


def series(n):
    t = torch.arange(n).float()
    s = (1 + torch.sin(2 * math.pi * t / 44)) ** 1.5 * (1 + 0.3 * torch.sin(2 * math.pi * t / 170))
    s = s + 0.1 * torch.randn(n)
    return (s - s.mean()) / s.std()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
s = series(1800)
X = s.unfold(0, 12, 1)[:-1]
y = s[12:].unsqueeze(1)
Xa, ya, Xb, yb = X[:1300], y[:1300], X[1300:], y[1300:]
model = RandomFourier(12, 300, 0.12)
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=0.01)
for epoch in range(40):
    for idx in torch.randperm(len(Xa)).split(65):
        loss = nn.functional.mse_loss(model(Xa[idx]), ya[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print("epoch", epoch + 1, "mse", round(loss.item(), 5))
with torch.no_grad():
    print("r2 %.4f" % (1 - (model(Xb) - yb).pow(2).mean() / yb.var()).item())
