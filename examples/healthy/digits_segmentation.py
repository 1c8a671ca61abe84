"""Trains a fully convolutional network that labels each pixel of a noisy digit as paper, edge or ink."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


def pixels():
    images = torch.tensor(load_digits().images / 16, dtype=torch.float32).unsqueeze(1)
    labels = (images[:, 0] > 0.2).long() + (images[:, 0] > 0.7).long()
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    return (images - 0.3) / 0.38 + 0.3 * noise, labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    x, y = pixels()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train_loader = DataLoader(TensorDataset(x[order[:1400]], y[order[:1400]]), batch_size=40, shuffle=True)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(16, 3, 1),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(12):
        model.train()
        total = 0.0
        for images, masks in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), masks)
            loss.backward()
            optimizer.step()
            total += loss.item()
        print(f"epoch {epoch} loss {total / len(train_loader):.4f}")
    model.eval()
    with torch.no_grad():
        hits = model(x[order[1400:]]).argmax(1) == y[order[1400:]]
    print(f"pixel accuracy {hits.float().mean().item():.3f}")


if __name__ == "__main__":
    main()
