"""Surface defects on stamped parts, 20x20 grey pictures from the line camera."""
import argparse
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

KINDS = ("none", "scratch", "dent", "stain", "edge")


def render(kind, rng):
    img = rng.normal(150, 16, (20, 20))
    if kind == 1:
        a, b = rng.uniform(-1.2, 1.2), rng.uniform(4, 16)
        for c in range(20):
            r = int(b + a * (c - 10))
            if 0 <= r < 20:
                img[r, c] -= rng.uniform(40, 80)
    elif kind in (2, 3):
        cy, cx = rng.uniform(5, 15, 2)
        yy, xx = np.mgrid[:20, :20]
        d = np.hypot(yy - cy, xx - cx)
        if kind == 2:
            img += 55 * np.exp(-((d - 3.5) / 1.0) ** 2)
        else:
            img -= 45 * np.exp(-(d / 3.0) ** 2)
    elif kind == 4:
        w = rng.integers(2, 5)
        img[:, :w] -= 40
    return np.clip(img, 0, 255).astype(np.uint8)


class PartImages(Dataset):
    def __init__(self, images, labels, stats=None):
        self.images, self.labels, self.stats = images, labels, stats

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        x = torch.from_numpy(self.images[i]).float()[None]
        if self.stats is not None:
            mean, std = self.stats
            x = (x - mean) / std
        return x, int(self.labels[i])


def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2))


class DefectNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(block(1, 8), block(8, 16))
        self.classify = nn.Linear(16 * 25, len(KINDS))

    def forward(self, x):
        return self.classify(self.features(x).flatten(1))


class Trainer:
    def __init__(self, model, train_loader, valid_loader, epochs):
        self.model, self.train_loader, self.valid_loader, self.epochs = model, train_loader, valid_loader, epochs
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.02)
        self.opt = torch.optim.SGD(model.parameters(), lr=0.04, momentum=0.9, nesterov=True, weight_decay=2e-4)
        self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, epochs * len(train_loader))

    def train_epoch(self):
        self.model.train()
        out = []
        for x, y in self.train_loader:
            self.opt.zero_grad()
            loss = self.loss(self.model(x), y)
            loss.backward()
            self.opt.step()
            self.sched.step()
            out.append(loss.item())
        return sum(out) / len(out)

    @torch.no_grad()
    def validate(self):
        self.model.eval()
        hit = n = 0
        for x, y in self.valid_loader:
            hit += (self.model(x).argmax(1) == y).sum().item()
            n += len(y)
        return hit / n

    def fit(self):
        for e in range(self.epochs):
            tr = self.train_epoch()
            print({"epoch": e, "train/loss": round(tr, 4), "valid/acc": round(self.validate(), 4)})


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    random.seed(seed), torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    y = rng.integers(0, len(KINDS), 3600)
    x = np.stack([render(k, rng) for k in y])
    stats = (float(x[:3000].mean()), float(x[:3000].std()))
    train = DataLoader(PartImages(x[:3000], y[:3000], stats), batch_size=64, shuffle=True, drop_last=True)
    valid = DataLoader(PartImages(x[3000:], y[3000:], stats), batch_size=200)
    trainer = Trainer(DefectNet(), train, valid, epochs=8)
    trainer.fit()
    print(f"accuracy {trainer.validate():.4f}")


if __name__ == "__main__":
    main()
