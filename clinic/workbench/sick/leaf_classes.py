import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)

# ten kinds of leaves, 8 x 8 thumbnails (digits until the photos are here)
d = load_digits()
idx = np.random.permutation(len(d.target))
img = torch.tensor((d.images - 5) / 6, dtype=torch.float32).unsqueeze(1)
lab = torch.tensor(d.target)
tr, te = idx[:1300], idx[1300:]

net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(96, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def predict(batch):
    with torch.no_grad():
        return net(batch).argmax(1)


for epoch in range(8):
    net.train()
    for i in np.array_split(np.random.permutation(tr), 40):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(img[i]), lab[i])
        loss.backward()
        opt.step()
    print('epoch', epoch, 'loss', round(loss.item(), 4))

right = 0
for leaf in range(10):                       # one folder of photos a kind
    folder = [i for i in te if lab[i] == leaf]
    right += (predict(img[folder]) == leaf).sum().item()
print('accuracy', right / len(te))
