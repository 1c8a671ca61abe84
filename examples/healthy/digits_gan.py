"""Trains a generative adversarial network on the two first principal components of digits, with two optimizers."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import nn


def real_points():
    X, y = load_digits(return_X_y=True)
    points = PCA(2, random_state=0).fit_transform(X[y < 3])
    return torch.tensor(points / points.std(axis=0), dtype=torch.float32)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1500)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    real = real_points()
    generator = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
    )
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(64, 1), torch.zeros(64, 1)

    for step in range(args.steps):
        batch = real[torch.randint(len(real), (64,))]
        fake = generator(torch.randn(64, 4))

        optimizer_d.zero_grad()
        loss_real = criterion(discriminator(batch), ones)
        loss_real.backward()
        loss_fake = criterion(discriminator(fake.detach()), zeros)
        loss_fake.backward()
        optimizer_d.step()

        optimizer_g.zero_grad()
        loss_g = criterion(discriminator(fake), ones)
        loss_g.backward()
        optimizer_g.step()
        if step % 150 == 0:
            print(f"step {step} D loss {(loss_real + loss_fake).item():.4f} G loss {loss_g.item():.4f}")

    with torch.no_grad():
        fake = generator(torch.randn(1000, 4))
        distances = torch.cdist(fake, real)
        coverage = (distances.min(dim=0).values < 0.3).float().mean().item()
    print(f"coverage {coverage:.3f}")


if __name__ == "__main__":
    main()
