"""Trains a batch-normalized convolutional network on digits with momentum SGD and a cosine schedule."""

import argparse
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    epochs: int = 15
    batch_size: int = 64
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4


class ConvBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = ConvBlock(1, 16)
        self.block2 = ConvBlock(16, 32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = F.max_pool2d(self.block1(x), 2)
        x = self.block2(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def evaluate(model, loader):
    model.eval()
    correct = 0
    with torch.inference_mode():
        for x, y in loader:
            correct += (model(x).argmax(1) == y).sum().item()
    return correct / len(loader.dataset)


def main(seed, config):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    digits = load_digits()
    images = torch.tensor((digits.images - 4.9) / 6.0, dtype=torch.float32).unsqueeze(1)
    labels = torch.tensor(digits.target)
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    train_set = TensorDataset(images[order[:1437]], labels[order[:1437]])
    test_set = TensorDataset(images[order[1437:]], labels[order[1437:]])
    train_loader = DataLoader(train_set, config.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(test_set, 120)

    model = Net()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay, nesterov=True
    )
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=config.epochs)
    for epoch in range(1, config.epochs + 1):
        model.train()
        losses = []
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        print(f"epoch {epoch:2d} loss {np.mean(losses):.4f} test {evaluate(model, test_loader):.3f}")
    print(f"accuracy {evaluate(model, test_loader):.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed, Config())
