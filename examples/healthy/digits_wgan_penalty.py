"""Trains a Wasserstein GAN with gradient penalty on two principal components of digits; the critic steps thrice."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from torch import nn


def penalty(critic, real, fake):
    mix = torch.rand(len(real), 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((gradient.norm(2, dim=1) - 1) ** 2).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    points = PCA(2, random_state=0).fit_transform(X[y < 2])
    real = torch.tensor(points / points.std(axis=0), dtype=torch.float32)
    generator = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.9))
    c_optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.9))
    for step in range(args.steps):
        for _ in range(3):
            batch = real[torch.randint(len(real), (64,))]
            fake = generator(torch.randn(64, 3)).detach()
            c_loss = critic(fake).mean() - critic(batch).mean() + 10.0 * penalty(critic, batch, fake)
            c_optimizer.zero_grad()
            c_loss.backward()
            c_optimizer.step()
        g_loss = -critic(generator(torch.randn(64, 3))).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        if step % 100 == 0:
            print(f"step {step} critic loss {c_loss.item():.4f} generator loss {g_loss.item():.4f}")
    with torch.no_grad():
        distances = torch.cdist(generator(torch.randn(1000, 3)), real)
    print(f"coverage {(distances.min(dim=0).values < 0.3).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
