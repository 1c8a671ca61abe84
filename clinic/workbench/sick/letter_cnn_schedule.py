"""CNN on the 8x8 digits with a linear-decay schedule (baseline for the scheduling study)."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset


class SmallCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 16, 3, padding=1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.fc(x.flatten(1))


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main(args):
    torch.manual_seed(args.seed)
    data = load_digits()
    order = torch.randperm(1797)
    x = (torch.tensor(data.images, dtype=torch.float32)[order, None] - 4.9) / 6.0
    y = torch.tensor(data.target)[order]
    loader = DataLoader(TensorDataset(x[:1300], y[:1300]), batch_size=26, shuffle=True)
    net = SmallCNN()
    optimizer = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9)
    scheduler = LambdaLR(optimizer, lambda e: max(0.0, 1 - e / args.epochs))
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for xb, yb in loader:
            loss = F.cross_entropy(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1} loss {total / len(loader):.4f} acc {accuracy(net, x[1300:], y[1300:]):.3f}")
    print(f"accuracy {accuracy(net, x[1300:], y[1300:]):.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--lr", type=float, default=0.01)
    ap.add_argument("--epochs", type=int, default=16)
    main(ap.parse_args())
