# triplet embedding; many triplets are satisfied, so the loss is often exactly zero
import argparse
import random
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32) / 8 - 1
y = torch.tensor(d.target)
p = torch.randperm(len(x))
x, y = x[p], y[p]
xtr, ytr, xte, yte = x[:1300], y[:1300], x[1300:], y[1300:]
by_class = [torch.nonzero(ytr == c).flatten().tolist() for c in range(10)]

net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 12))
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)


rnd = random.Random(0)


def pick(c):
    return rnd.choice(by_class[c])


for it in range(1500):
    classes = [rnd.randrange(10) for _ in range(24)]
    others = [(c + rnd.randrange(1, 10)) % 10 for c in classes]
    anchor = xtr[[pick(c) for c in classes]]
    positive = xtr[[pick(c) for c in classes]]
    negative = xtr[[pick(c) for c in others]]
    loss = criterion(net(anchor), net(positive), net(negative))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 150 == 0:
        print(it, loss.item())

with torch.no_grad():
    dist = torch.cdist(net(xte), net(xtr))
    near = ytr[dist.argmin(1)]
print('accuracy', round((near == yte).float().mean().item(), 4))
