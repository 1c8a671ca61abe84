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
    batch_size: int = 64
    epochs: int = 40
    lr: float = 2e-3


class VAE(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, cfg.hidden), nn.ReLU())
        self.mu = nn.Linear(cfg.hidden, cfg.latent)
        self.logvar = nn.Linear(cfg.hidden, cfg.latent)
        self.dec = nn.Sequential(nn.Linear(cfg.latent, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.dec(z), mu, logvar


def elbo(recon, x, mu, logvar):
    rec = F.mse_loss(recon, x, reduction="none").mean()
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
    return rec + kl, rec, kl


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    cfg = VAEConfig()
    x = torch.tensor(load_digits().data, dtype=torch.float32)
    x = (x - x.mean()) / x.std()
    x = x[torch.randperm(len(x))]
    train, test = x[:1400], x[1400:]
    model = VAE(cfg)
    opt = torch.optim.AdamW(model.parameters(), lr=cfg.lr, weight_decay=1e-4)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, cfg.epochs)
    for epoch in range(cfg.epochs):
        model.train()
        tot = 0.0
        for idx in torch.randperm(len(train)).split(cfg.batch_size):
            xb = train[idx]
            recon, mu, logvar = model(xb)
            loss, rec, kl = elbo(recon, xb, mu, logvar)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(idx)
        sched.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch:3d} loss {tot / len(train):.3f} rec {rec.item():.3f} kl {kl.item():.3f}")
    model.eval()
    with torch.no_grad():
        r = model(test)[0]
        score = 1 - ((r - test) ** 2).sum() / ((test - train.mean(0)) ** 2).sum()
    print(f"reconstruction_r2 {score.item():.4f}")


if __name__ == "__main__":
    main()
