"""Convolution-free autoencoder on the 8x8 digits; reports PSNR of the reconstructions."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


@dataclass
class Hparams:
    latent: int = 12
    hidden: int = 96
    lr: float = 2e-3
    batch_size: int = 64
    epochs: int = 22


class AutoEncoder(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, hp.hidden), nn.ReLU(), nn.Linear(hp.hidden, hp.latent))
        self.decoder = nn.Sequential(nn.Linear(hp.latent, hp.hidden), nn.ReLU(),
                                     nn.Linear(hp.hidden, 64), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


def psnr(model, x):
    model.eval()
    with torch.no_grad():
        mse = F.mse_loss(model(x), x)
    return (-10 * torch.log10(mse)).item()


def run(hp, seed):
    torch.manual_seed(seed)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    images = images[torch.randperm(len(images))]
    train, held_out = images[:1400], images[1400:]
    model = AutoEncoder(hp)
    optimizer = torch.optim.Adam(model.parameters(), lr=hp.lr)
    for epoch in range(hp.epochs):
        model.train()
        losses = []
        for idx in torch.randperm(len(train)).split(hp.batch_size):
            x = train[idx]
            loss = F.binary_cross_entropy(model(x), x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch:02d} bce {sum(losses) / len(losses):.4f} psnr {psnr(model, held_out):.2f}")
    return psnr(model, held_out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print(f"psnr {run(Hparams(), parser.parse_args().seed):.3f}")
