import argparse
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class VAE(nn.Module):
    def __init__(self, z=6):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.mu, self.logvar = nn.Linear(64, z), nn.Linear(64, z)
        self.dec = nn.Sequential(nn.Linear(z, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


def elbo(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum(1)
    return (rec + 0.5 * kl).mean()


if __name__ == "__main__":
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=0)
    torch.manual_seed(a.parse_args().seed)
    X = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    X = X[torch.randperm(len(X))]
    vae = VAE()
    opt = torch.optim.Adam(vae.parameters(), lr=2e-3)
    for epoch in range(35):
        vae.train()
        for i in torch.randperm(1500).split(50):
            loss = elbo(*(lambda o: (o[0], X[i], o[1], o[2]))(vae(X[i])))
            opt.zero_grad()
            loss.backward()
            opt.step()
        if epoch % 7 == 0:
            print(epoch, round(loss.item(), 2))
    vae.eval()
    T = X[1500:]
    with torch.no_grad():
        rec = torch.sigmoid(vae.dec(vae.mu(vae.enc(T))))
    print("R2", round(1 - (((T - rec) ** 2).sum() / ((T - T.mean(0)) ** 2).sum()).item(), 3))
