"""Trains an autoencoder of gray levels from 0 to 16 with a bounded decoder."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 12))
        self.decoder = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh())

    def forward(self, x):
        return self.decoder(self.encoder(x / 16))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    images = torch.tensor(load_digits().data, dtype=torch.float32)
    images = images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))]
    train, test = images[:1500], images[1500:]
    loader = DataLoader(TensorDataset(train), batch_size=30, shuffle=True)
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loss_fn = nn.MSELoss()
    for epoch in range(40):
        total = 0.0
        for (x,) in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(x), x)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / len(loader):.4f}")
    with torch.no_grad():
        error = ((model(test) - test) ** 2).mean() / test.var(dim=0).mean()
    print(f"explained variance {1 - error.item():.3f}")


if __name__ == "__main__":
    main()
