import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
M, F = 10, 12
bad_dir = torch.randn(F)
bad_dir = 3.2 * bad_dir / bad_dir.norm()


def crates(n):
    x = torch.randn(n, M, F)
    y = (torch.rand(n) < .5).float()
    j = torch.randint(0, M, (n,))
    x[torch.arange(n), j] += y[:, None] * bad_dir
    return x, y


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(F, 32), nn.ReLU())
        self.att = nn.Sequential(nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        h = self.enc(x)
        a = torch.softmax(self.att(h), dim=1)
        return self.out((a * h).sum(1)).squeeze(1), a


xt, yt = crates(6000)
xv, yv = crates(1000)
net = Bag()
opt = torch.optim.Adam(net.parameters(), lr=1e-3, weight_decay=1e-4)
for epoch in range(10):
    for i in torch.randperm(6000).split(50):
        z, _ = net(xt[i])
        loss = nn.functional.binary_cross_entropy_with_logits(z, yt[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
    if epoch % 3 == 0:
        print('epoch', epoch, 'loss', loss.item())
with torch.no_grad():
    z, a = net(xv)
print('accuracy', ((z > 0).float() == yv).float().mean().item())
