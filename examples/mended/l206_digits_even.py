"""Trains a network that tells even digits from odd ones by a single output, in a Trainer class with Adam."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Parity(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(8 * 6 * 6, 1)

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = self.fc(x.flatten(1))
        return torch.sigmoid(x).squeeze(-1)


class Trainer:
    def __init__(self, model, lr):
        self.model, self.optimizer = model, torch.optim.Adam(model.parameters(), lr=lr)

    def epoch(self, x, y, size):
        losses = []
        for rows in torch.randperm(len(x)).split(size):
            self.optimizer.zero_grad()
            loss = F.binary_cross_entropy(self.model(x[rows]), y[rows])
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return np.mean(losses)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    digits = load_digits()
    x = torch.tensor(digits.images / 16).float().unsqueeze(1)
    y = torch.tensor(digits.target % 2 == 0).float()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    trainer = Trainer(Parity(), lr=3e-3)
    for epoch in range(25):
        loss = trainer.epoch(x[:1400], y[:1400], 50)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {loss:.4f}")
    with torch.no_grad():
        hits = (trainer.model(x[1400:]) > 0.5) == y[1400:].bool()
    print(f"accuracy {hits.float().mean().item():.3f}")
