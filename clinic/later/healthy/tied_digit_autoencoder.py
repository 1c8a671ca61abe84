"""Autoencoder whose decoder is the transposed encoder; bottleneck of ten."""
import argparse
import torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_digits

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
X = torch.tensor(load_digits().data / 16, dtype=torch.float32)
X = X[torch.randperm(len(X))]
train, test = X[:1500], X[1500:]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(64, 64) / 8)
        self.w2 = nn.Parameter(torch.randn(10, 64) / 8)
        self.b1, self.b2, self.b3, self.b4 = (nn.Parameter(torch.zeros(k)) for k in (64, 10, 64, 64))

    def forward(self, x):
        h = F.elu(F.linear(x, self.w1, self.b1))
        code = F.linear(h, self.w2, self.b2)
        h = F.elu(F.linear(code, self.w2.t(), self.b3))
        return F.linear(h, self.w1.t(), self.b4)


net = Tied()
opt = torch.optim.Adam(net.parameters(), lr=1.2e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 40)
for epoch in range(40):
    tot = 0
    for b in torch.randperm(1500).split(50):
        loss = F.mse_loss(net(train[b]), train[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    sched.step()
    if epoch % 8 == 7:
        print(f"epoch {epoch + 1} mse {tot / 30:.5f}")
with torch.no_grad():
    e = ((net(test) - test) ** 2).sum() / ((test - train.mean(0)) ** 2).sum()
print(f"explained {1 - e.item():.4f}")
