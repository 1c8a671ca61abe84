"""Trains a contrastive embedding: two noisy views of each digit must find each other in the batch."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Encoder(nn.Module):
    def __init__(self, width=64, code=16):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.projection = nn.Linear(width, code)

    def forward(self, x):
        return F.normalize(self.projection(self.backbone(x)), dim=1)


def view(x):
    keep = (torch.rand_like(x) > 0.2).float()
    return x * keep + 0.1 * torch.randn_like(x)


def info_nce(a, b, temperature=0.2):
    similarity = a @ b.t() / temperature
    target = torch.arange(len(a))
    return 0.5 * (F.cross_entropy(similarity, target) + F.cross_entropy(similarity.t(), target))


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    model = Encoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-4)
    for epoch in range(30):
        total, count = 0.0, 0
        for batch in train[torch.randperm(len(train))].split(100):
            loss = info_nce(model(view(X[batch])), model(view(X[batch])))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / count:.4f}")
    model.eval()
    with torch.no_grad():
        nearest = (model(X[test]) @ model(X[train]).t()).argmax(1)
    print(f"nearest neighbor accuracy {(y[train][nearest] == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
