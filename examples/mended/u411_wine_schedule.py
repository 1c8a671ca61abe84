"""Trains a wine classifier with AdamW and a one-cycle schedule."""

import argparse
import random
import warnings

import numpy as np
import torch
from sklearn.datasets import load_wine
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

warnings.filterwarnings("ignore")


class WineModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(13, 32), nn.ELU(), nn.Linear(32, 3))

    def forward(self, x):
        return self.layers(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_wine(return_X_y=True)
    X, y = torch.tensor((X - X.mean(0)) / X.std(0)).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:120], order[120:]
    model = WineModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = OneCycleLR(optimizer, max_lr=1e-2, total_steps=args.steps)
    loss_fn = nn.CrossEntropyLoss()
    for step in range(args.steps):
        rows = train[torch.randint(len(train), (24,))]
        model.zero_grad()
        loss = loss_fn(model(X[rows]), y[rows])
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            print(f"step {step} lr {scheduler.get_last_lr()[0]:.5f} loss {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
