"""Small residual network on 8x8 digits."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Config:
    seed: int = 0
    epochs: int = 8
    batch_size: int = 32
    lr: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    width: int = 16


class Block(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.short = nn.Identity() if cin == cout and stride == 1 else nn.Conv2d(cin, cout, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.short(x))


class ResNet(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.stem = nn.Conv2d(1, w, 3, 1, 1)
        self.blocks = nn.Sequential(Block(w, w), Block(w, 2 * w, 2), Block(2 * w, 2 * w))
        self.fc = nn.Linear(2 * w, 10)

    def forward(self, x):
        return self.fc(self.blocks(F.relu(self.stem(x))).mean((2, 3)))


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        d = load_digits()
        xa, xb, ya, yb = train_test_split(d.images / 16.0, d.target, test_size=0.25, random_state=cfg.seed, stratify=d.target)
        mean, std = xa.mean(), xa.std()
        t = lambda a: torch.tensor((a - mean) / std, dtype=torch.float32).unsqueeze(1)
        self.train_loader = DataLoader(TensorDataset(t(xa), torch.tensor(ya)), cfg.batch_size, shuffle=True)
        self.val = t(xb), torch.tensor(yb)
        self.model = ResNet(cfg.width)
        self.optimizer = torch.optim.SGD(self.model.parameters(), cfg.lr, cfg.momentum, weight_decay=cfg.weight_decay, nesterov=True)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, step_size=2, gamma=0.3)

    def train_epoch(self):
        self.model.train()
        total = 0.0
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            total += loss.item() * len(x)
        return total / len(self.train_loader.dataset)

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        x, y = self.val
        return (self.model(x).argmax(1) == y).float().mean().item()

    def fit(self):
        for epoch in range(self.cfg.epochs):
            loss = self.train_epoch()
            acc = self.validate()
            print(f"epoch {epoch} loss {loss:.4f} val {acc:.4f}")
        return acc


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    acc = Trainer(Config(seed=p.parse_args().seed)).fit()
    print(f"accuracy {acc:.4f}")
