"""CNN on rendered glyphs: ten stroke templates under shift, scale and noise."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

SIDE = 14


class Glyphs(Dataset):
    def __init__(self, per_class, seed, classes=10):
        shapes = np.random.default_rng(7)
        strokes = [shapes.uniform(2, SIDE - 3, (4, 2)) for _ in range(classes)]
        rng = np.random.default_rng(seed)
        images, labels = [], []
        grid = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1)
        for c, pts in enumerate(strokes):
            for _ in range(per_class):
                p = pts + rng.normal(0, 0.5, pts.shape) + rng.uniform(-1.2, 1.2, 2)
                steps = np.concatenate([np.linspace(p[i], p[i + 1], 8) for i in range(3)])
                d = ((grid[None] - steps[:, None, None]) ** 2).sum(-1).min(0)
                img = np.exp(-d / 1.2) + rng.normal(0, 0.25, (SIDE, SIDE))
                images.append((img - 0.25) / 0.4)
                labels.append(c)
        self.images = torch.tensor(np.array(images), dtype=torch.float32)[:, None]
        self.labels = torch.tensor(labels)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3)
        self.conv2 = nn.Conv2d(12, 24, 3)
        self.fc = nn.Linear(24 * 2 * 2, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def evaluate(net, loader):
    net.eval()
    hits = seen = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(1) == y).sum().item()
            seen += len(y)
    return hits / seen


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=7)
    ap.add_argument("--lr", type=float, default=0.02)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    train = DataLoader(Glyphs(200, 100 + args.seed), batch_size=32, shuffle=True)
    test = DataLoader(Glyphs(50, 500 + args.seed), batch_size=250)
    net = Net()
    opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    for epoch in range(args.epochs):
        net.train()
        total = 0
        for x, y in train:
            opt.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        print(f"epoch {epoch} train {total / len(train):.4f} test acc {evaluate(net, test):.3f}")
    print(f"accuracy {evaluate(net, test):.4f}")


if __name__ == "__main__":
    main()
