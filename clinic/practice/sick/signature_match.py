"""Siamese network: are two pen traces from the same writer? Contrastive loss on embeddings."""
import argparse
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, Dataset


def writers(count, rng):
    return [SimpleNamespace(freq=rng.uniform(0.6, 3.0, 3), amp=rng.uniform(0.3, 1.0, 3), ph=rng.uniform(0, 6.28, 3))
            for _ in range(count)]


def trace(w, rng, points=48):
    t = np.linspace(0, 6.28, points)
    warp = t + 0.3 * np.sin(t + rng.uniform(0, 6.28)) + rng.normal(0, 0.3)
    y = sum(a * np.sin(f * warp + p) for f, a, p in zip(w.freq, w.amp, w.ph))
    return (y * rng.uniform(0.7, 1.3) + rng.normal(0, 0.3, points)).astype(np.float32)


class Pairs(Dataset):
    def __init__(self, people, n, rng):
        self.a, self.b, self.same = [], [], []
        for i in range(n):
            p = rng.integers(len(people))
            same = i % 2
            q = p if same else (p + rng.integers(1, len(people))) % len(people)
            self.a.append(trace(people[p], rng))
            self.b.append(trace(people[q], rng))
            self.same.append(float(same))

    def __len__(self):
        return len(self.same)

    def __getitem__(self, i):
        return self.a[i][None], self.b[i][None], np.float32(self.same[i])


class Encoder(nn.Module):
    def __init__(self, dim=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, 16, 7, stride=2, padding=3), nn.ReLU(),
            nn.Conv1d(16, 32, 5, stride=2, padding=2), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 12, 48), nn.ReLU(), nn.Linear(48, dim))

    def forward(self, x):
        return F.normalize(self.net(x), dim=1)


class SiameseTrainer:
    def __init__(self, cfg):
        self.cfg = cfg
        self.encoder = Encoder()
        self.scale = nn.Parameter(torch.tensor(4.0))
        self.shift = nn.Parameter(torch.tensor(0.0))
        self.opt = torch.optim.AdamW([{"params": self.encoder.parameters()},
                                      {"params": [self.scale, self.shift], "weight_decay": 0.0}], lr=cfg.lr)
        self.sched = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, cfg.epochs)

    def embed(self, x):
        with torch.no_grad():
            return self.encoder(x)

    def score(self, a, b):
        return self.scale * (self.embed(a) * self.embed(b)).sum(1) + self.shift

    def fit(self, loader, valid):
        for epoch in range(self.cfg.epochs):
            self.encoder.train()
            losses = []
            for a, b, same in loader:
                loss = F.binary_cross_entropy_with_logits(self.score(a, b), same)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                losses.append(loss.item())
            self.sched.step()
            print(f"epoch {epoch:02d} loss {np.mean(losses):.4f} valid auc {self.auc(valid):.4f}")

    def auc(self, loader):
        self.encoder.eval()
        with torch.no_grad():
            s, y = zip(*[(self.score(a, b), same) for a, b, same in loader])
        return roc_auc_score(torch.cat(y).numpy(), torch.cat(s).numpy())


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    seed = p.parse_args().seed
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    people = writers(120, rng)
    train = DataLoader(Pairs(people, 4500, rng), batch_size=64, shuffle=True)
    valid = DataLoader(Pairs(people, 1000, rng), batch_size=300)
    trainer = SiameseTrainer(SimpleNamespace(lr=2e-3, epochs=7))
    trainer.fit(train, valid)
    print(f"auc {trainer.auc(valid):.4f}")
