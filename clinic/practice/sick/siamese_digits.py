# Siamese verification (Koch et al. 2015): same digit or not?
import argparse
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_digits

p = argparse.ArgumentParser()
p.add_argument('--seed', default=0, type=int)
p.add_argument('--iters', default=420, type=int)
p.add_argument('--pairs', default=64, type=int)
p.add_argument('--lr', default=6e-3, type=float)
a = p.parse_args()
torch.manual_seed(a.seed)
rs = np.random.RandomState(a.seed)

digits = load_digits()
imgs = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
imgs = (imgs - imgs.mean()) / imgs.std()
lab = digits.target
perm = rs.permutation(len(lab))
pool_tr, pool_te = perm[:1300], perm[1300:]


def draw(pool, n):
    by = [pool[lab[pool] == c] for c in range(10)]
    left, right, same = [], [], []
    for k in range(n):
        c = rs.randint(10)
        d = c if k % 2 else (c + rs.randint(1, 10)) % 10
        left.append(rs.choice(by[c])); right.append(rs.choice(by[d])); same.append(float(c == d))
    return imgs[left], imgs[right], torch.tensor(same).unsqueeze(1)


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                                   nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(256, 32))
        self.head = nn.Sequential(nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softmax(dim=1))

    def forward(self, one, two):
        return self.head((self.tower(one) - self.tower(two)).abs())


net = Siamese()
opt = torch.optim.Adam(net.parameters(), lr=a.lr)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.iters)
crit = nn.BCELoss()
avg = None
for it in range(a.iters):
    l, r, t = draw(pool_tr, a.pairs)
    loss = crit(net(l, r), t)
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    avg = loss.item() if avg is None else .95 * avg + .05 * loss.item()
    if it % 70 == 0:
        print('iter', it, 'bce', round(avg, 4))
with torch.no_grad():
    l, r, t = draw(pool_te, 1000)
    print('accuracy', round(((net(l, r) > .5).float() == t).float().mean().item(), 4))
