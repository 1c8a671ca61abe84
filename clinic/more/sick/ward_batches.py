import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class Recordings(Dataset):
    """short sensor traces; each ward (class) has its own level and drift"""

    def __init__(self, n, seed, by_ward=False):
        r = np.random.RandomState(seed)
        self.y = r.randint(0, 4, n)
        if by_ward:
            self.y = np.sort(self.y)
        t = np.linspace(0, 1, 40)
        level = np.array([-1.0, -0.3, 0.4, 1.1])[self.y][:, None]
        self.x = (level + 0.35 * r.randn(n, 1) * np.sin(6 * t) + 0.5 * r.randn(n, 40)).astype("float32")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return torch.from_numpy(self.x[i])[None], int(self.y[i])


def block(i, o):
    return nn.Sequential(nn.Conv1d(i, o, 5, padding=2), nn.BatchNorm1d(o), nn.ReLU(), nn.MaxPool1d(2))


class TraceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(block(1, 16), block(16, 24))
        self.classifier = nn.Linear(24 * 10, 4)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


def evaluate(net, loader):
    good = n = 0
    with torch.no_grad():
        for x, y in loader:
            good += (net(x).argmax(1) == y).sum().item()
            n += len(y)
    return good / n


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    train_loader = DataLoader(Recordings(1200, seed), batch_size=32, shuffle=True)
    test_loader = DataLoader(Recordings(400, 77 + seed, by_ward=True), batch_size=32)
    net = TraceNet()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    crit = nn.CrossEntropyLoss()
    for epoch in range(6):
        net.train()
        for x, y in train_loader:
            opt.zero_grad()
            loss = crit(net(x), y)
            loss.backward()
            opt.step()
        print("epoch", epoch, "train loss %.3f" % loss.item(), "test accuracy %.3f" % evaluate(net, test_loader))
    print("accuracy %.3f" % evaluate(net, test_loader))
