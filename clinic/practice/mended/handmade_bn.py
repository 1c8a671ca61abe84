# Batch normalization from the paper (Ioffe & Szegedy 2015, algorithms 1 and 2), written out.
import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits


class Normalize(nn.Module):
    def __init__(self, features, momentum=0.1, eps=1e-5):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.register_buffer('running_mean', torch.zeros(features))
        self.register_buffer('running_var', torch.ones(features))
        self.momentum, self.eps = momentum, eps

    def forward(self, x):
        if self.training:
            mean, var = x.mean(0), x.var(0, unbiased=False)
            with torch.no_grad():
                self.running_mean += self.momentum * (mean - self.running_mean)
                self.running_var += self.momentum * (var - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


def block(a, b):
    lin = nn.Linear(a, b, bias=False)
    nn.init.kaiming_normal_(lin.weight)
    return [lin, Normalize(b), nn.ReLU()]


ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
ap.add_argument('--epochs', type=int, default=14)
ap.add_argument('--lr', type=float, default=2e-3)
ns = ap.parse_args()
torch.manual_seed(ns.seed)
d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32)
y = torch.tensor(d.target)
order = torch.randperm(len(y))
tr, te = order[:1300], order[1300:]
x = (x - x[tr].mean()) / x[tr].std()

net = nn.Sequential(*block(64, 48), *block(48, 48), *block(48, 48), nn.Linear(48, 10))
opt = torch.optim.Adam(net.parameters(), lr=ns.lr)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, ns.epochs)
lossf = nn.CrossEntropyLoss(label_smoothing=0.1)
for ep in range(ns.epochs):
    net.train()
    s = 0.
    for idx in tr[torch.randperm(len(tr))].split(65):
        loss = lossf(net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        s += loss.item() * len(idx)
    sched.step()
    net.eval()
    with torch.no_grad():
        acc = (net(x[te]).argmax(1) == y[te]).float().mean().item()
    print('epoch %d loss %.4f acc %.4f' % (ep, s / len(tr), acc))
print('accuracy %.4f' % acc)
