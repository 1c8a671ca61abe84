"""Residual net on 8x8 digits; the averaged copy of the weights is the one that ships."""
import argparse
import copy

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)
        self.c2, self.b2 = nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c)

    def forward(self, x):
        h = F.relu(self.b1(self.c1(x)))
        return F.relu(x + self.b2(self.c2(h)))


class DigitNet(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.body = nn.Sequential(Residual(width), nn.MaxPool2d(2), Residual(width))
        self.head = nn.Linear(width * 16, 10)

    def forward(self, x):
        return self.head(self.body(self.stem(x)).flatten(1))


class WeightAverage:
    def __init__(self, model, decay=0.97):
        self.decay = decay
        self.model = copy.deepcopy(model).eval()
        for p in self.model.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for avg, p in zip(self.model.parameters(), model.parameters()):
            avg.lerp_(p, 1 - self.decay)
        for avg, b in zip(self.model.buffers(), model.buffers()):
            avg.copy_(b)


class Trainer:
    def __init__(self, model, data, epochs=12, batch=64, lr=3e-3):
        self.model, self.epochs, self.batch = model, epochs, batch
        self.xtr, self.ytr, self.xva, self.yva = data
        self.average = WeightAverage(model)
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2)
        self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, epochs)

    def step(self, idx):
        loss = F.cross_entropy(self.model(self.xtr[idx]), self.ytr[idx])
        self.opt.zero_grad(set_to_none=True)
        loss.backward()
        self.opt.step()
        self.average.update(self.model)
        return loss.item()

    @torch.no_grad()
    def validate(self):
        out = self.average.model(self.xva)
        return F.cross_entropy(out, self.yva).item(), (out.argmax(1) == self.yva).float().mean().item()

    def fit(self):
        for epoch in range(self.epochs):
            self.model.train()
            losses = [self.step(i) for i in torch.randperm(len(self.xtr)).split(self.batch) if len(i) == self.batch]
            self.sched.step()
            vl, va = self.validate()
            print(f"epoch {epoch}: loss {np.mean(losses):.4f} val_loss {vl:.4f} val_acc {va:.4f}")
        return va


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    digits = load_digits()
    perm = torch.randperm(len(digits.target))
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    x = (x - 0.305) / 0.376
    y = torch.tensor(digits.target)
    data = x[perm[:1437]], y[perm[:1437]], x[perm[1437:]], y[perm[1437:]]
    print(f"accuracy {Trainer(DigitNet(), data).fit():.4f}")
