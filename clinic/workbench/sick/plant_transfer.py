import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)


def plant(products, n, shift):
    c = torch.rand(products, 3) * .8 + .1
    w = torch.linspace(0, 1, 30)
    lab = torch.randint(0, products, (n,))
    peaks = c[lab] + .02 * torch.randn(n, 3)
    s = torch.exp(-((w[None, None] - peaks[:, :, None] - shift) / .05) ** 2).sum(1)
    s = s + .25 * torch.randn(n, 30)
    return (s - s.mean()) / s.std(), lab


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.head = nn.Linear(32, classes)

    def forward(self, x):
        return self.head(self.body(x))


def loop(net, opt, x, y, epochs):
    for e in range(epochs):
        for i in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            loss = F.cross_entropy(net(x[i]), y[i])
            loss.backward()
            opt.step()
        print('epoch', e, 'loss', round(loss.item(), 4))


# plant A: eight products
xa, ya = plant(8, 800, 0.0)
net = Net(8)
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
print('plant A'); loop(net, opt, xa, ya, 6)

# plant B: six products, only the last layer is new
xb, yb = plant(6, 2400, 0.05)
net.head = nn.Linear(32, 6)
for p in net.body.parameters():
    p.requires_grad_(False)
print('plant B'); loop(net, opt, xb[:1800], yb[:1800], 15)
with torch.no_grad():
    acc = (net(xb[1800:]).argmax(1) == yb[1800:]).float().mean().item()
print('accuracy', acc)
