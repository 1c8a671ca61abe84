"""Trains a variational autoencoder of digits; reconstruction and divergence are summed as in the usual example."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc21 = nn.Linear(64, 6)
        self.fc22 = nn.Linear(64, 6)
        self.fc3 = nn.Linear(6, 64)
        self.fc4 = nn.Linear(64, 64)

    def encode(self, x):
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        return mu + torch.randn_like(std) * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def elbo(reconstruction, x, mu, logvar):
    bce = F.binary_cross_entropy(reconstruction, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def train(epoch, model, optimizer, loader):
    model.train()
    total = 0
    for (data,) in loader:
        optimizer.zero_grad()
        reconstruction, mu, logvar = model(data)
        loss = elbo(reconstruction, data, mu, logvar)
        loss.backward()
        total += loss.item()
        optimizer.step()
    if epoch % 5 == 0:
        print(f"====> Epoch: {epoch} Average loss: {total / len(loader.dataset):.4f}")


def test(model, data):
    model.eval()
    with torch.no_grad():
        reconstruction, mu, logvar = model(data)
        return elbo(reconstruction, data, mu, logvar).item() / len(data)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="VAE on digits")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=50)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    digits = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    digits = digits[torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))]
    train_loader = DataLoader(TensorDataset(digits[:1497]), batch_size=64, shuffle=True)
    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, args.epochs + 1):
        train(epoch, model, optimizer, train_loader)
    print(f"test loss {test(model, digits[1497:]):.3f}")
