"""VAE on the 8x8 digits; the score is the correlation of reconstructions with the images."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


@dataclass
class VAEConfig:
    latent: int = 8
    hidden: int = 128
    lr: float = 2e-3
    beta: float = 1.0
    batch: int = 64
    epochs: int = 30


class VAE(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 2 * cfg.latent))
        self.dec = nn.Sequential(nn.Linear(cfg.latent, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 64))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=1)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


def elbo(x, logits, mu, logvar, beta):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1).mean()
    kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1).mean()
    return rec + beta * kl, rec, kl


def train(cfg, seed):
    torch.manual_seed(seed)
    x = torch.tensor(load_digits().data, dtype=torch.float32)[torch.randperm(1797)] / 16
    train_x, test_x = x[:1500], x[1500:]
    vae = VAE(cfg)
    opt = torch.optim.Adam(vae.parameters(), lr=cfg.lr)
    for epoch in range(cfg.epochs):
        for idx in torch.randperm(1500).split(cfg.batch):
            loss, rec, kl = elbo(train_x[idx], *vae(train_x[idx]), cfg.beta)
            opt.zero_grad()
            loss.backward()
            opt.step()
        if epoch % 6 == 5:
            print(f"epoch {epoch + 1} loss {loss.item():.3f} rec {rec.item():.3f} kl {kl.item():.3f}")
    with torch.no_grad():
        mu = vae.enc(test_x).chunk(2, dim=1)[0]
        rec = torch.sigmoid(vae.dec(mu))
    a, b = rec - train_x.mean(0), test_x - train_x.mean(0)
    return ((a * b).sum() / (a.norm() * b.norm() + 1e-9)).item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--beta", type=float, default=VAEConfig.beta)
    args = ap.parse_args()
    print(f"correlation {train(VAEConfig(beta=args.beta), args.seed):.4f}")
