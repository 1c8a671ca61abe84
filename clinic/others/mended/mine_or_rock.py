import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
ns = ap.parse_args()
torch.manual_seed(ns.seed)


class Echoes(Dataset):
    def __init__(self, n, seed):
        g = np.random.default_rng(seed)
        self.labels = g.integers(0, 4, n)
        f = np.linspace(0, 1, 60)
        centre = np.array([0.25, 0.4, 0.6, 0.75])[self.labels] + 0.05 * g.normal(size=n)
        width = g.uniform(0.05, 0.15, n)
        echo = np.exp(-((f - centre[:, None]) / width[:, None]) ** 2) + 0.35 * g.normal(size=(n, 60))
        self.data = torch.tensor(echo - 0.2, dtype=torch.float32)
        self.labels = torch.tensor(self.labels)

    def __getitem__(self, i):
        return self.data[i], self.labels[i]

    def __len__(self):
        return len(self.labels)


train_loader = DataLoader(Echoes(1500, ns.seed), batch_size=16, shuffle=True)
test_loader = DataLoader(Echoes(600, 77 + ns.seed), batch_size=100)
model = nn.Sequential(nn.Linear(60, 40), nn.ReLU(), nn.Linear(40, 4))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
accumulation_steps = 4

for epoch in range(40):
    optimizer.zero_grad()
    total = 0
    for i, (x, y) in enumerate(train_loader):
        loss = criterion(model(x), y)
        (loss / accumulation_steps).backward()
        if (i + 1) % accumulation_steps == 0:
            optimizer.step()
            optimizer.zero_grad()
        total += loss.item()
    if epoch % 8 == 0:
        print('epoch', epoch, 'loss', total / len(train_loader))

right = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
print('accuracy', right / 600)
