"""Trains one network for two tasks on digits: the class, and the share of ink on the page (a sum of two losses)."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.digit = nn.Linear(64, 10)
        self.ink = nn.Linear(64, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.digit(h), self.ink(h).squeeze(-1)


def main(seed, epochs=30):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    ink = X.sum(axis=1)
    ink = (ink - ink.mean()) / ink.std()
    X, y, ink = torch.tensor(X / 8 - 1).float(), torch.tensor(y), torch.tensor(ink).float()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    loader = DataLoader(TensorDataset(X[train], y[train], ink[train]), batch_size=32, shuffle=True)
    model = MultiTask()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(epochs):
        digits_loss = ink_loss = 0.0
        for x, label, amount in loader:
            scores, estimate = model(x)
            loss_digit = F.cross_entropy(scores, label)
            loss_ink = F.mse_loss(estimate, amount)
            loss = loss_digit + 0.5 * loss_ink
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            digits_loss += loss_digit.item() / len(loader)
            ink_loss += loss_ink.item() / len(loader)
        if epoch % 5 == 0:
            print(f"epoch {epoch} digit loss {digits_loss:.4f} ink loss {ink_loss:.4f}")
    with torch.no_grad():
        accuracy = (model(X[test])[0].argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
