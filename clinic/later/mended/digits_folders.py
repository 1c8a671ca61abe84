import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import Dataset, DataLoader

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)


class DigitFolders(Dataset):
    """one 'folder' per digit, like ImageFolder"""

    def __init__(self, train=True):
        data = load_digits()
        rng = np.random.RandomState(seed)
        self.samples = []
        for label in range(10):
            imgs = data.images[data.target == label]
            imgs = imgs[rng.permutation(len(imgs))]
            imgs = imgs[:130] if train else imgs[130:]
            for im in imgs:
                self.samples.append((im.astype(np.float32)[None] / 16.0, label))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        return self.samples[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 2 * 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


train_loader = DataLoader(DigitFolders(True), batch_size=32, shuffle=True)
test_loader = DataLoader(DigitFolders(False), batch_size=32)
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

for epoch in range(12):
    net.train()
    s = 0
    for x, t in train_loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), t)
        loss.backward()
        optimizer.step()
        s += loss.item()
    print(epoch, s / len(train_loader))

net.eval()
hits = n = 0
with torch.no_grad():
    for x, t in test_loader:
        hits += (net(x).argmax(1) == t).sum().item()
        n += len(t)
print("accuracy", hits / n)
