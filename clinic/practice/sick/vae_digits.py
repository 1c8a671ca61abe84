import argparse, numpy as np, torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_digits

# Auto-Encoding Variational Bayes, appendix B, on 8x8 digits.


class VAE(nn.Module):
    def __init__(self, n=64, h=128, z=8):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(n, h), nn.ReLU())
        self.mu, self.logvar = nn.Linear(h, z), nn.Linear(h, z)
        self.dec = nn.Sequential(nn.Linear(z, h), nn.ReLU(), nn.Linear(h, n))

    def encode(self, x):
        h = self.enc(x * 2 - 1)
        return self.mu(h), self.logvar(h)

    def forward(self, x):
        mu, logvar = self.encode(x)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


def elbo(logits, x, mu, logvar):
    rec = F.binary_cross_entropy_with_logits(logits, x)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
    return rec + kl, rec, kl


if __name__ == '__main__':
    ap = argparse.ArgumentParser()
    ap.add_argument('--seed', type=int, default=0)
    ap.add_argument('--epochs', type=int, default=60)
    ap.add_argument('--bs', type=int, default=100)
    ap.add_argument('--lr', type=float, default=2e-3)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    X = torch.tensor(load_digits().images.reshape(-1, 64) / 16., dtype=torch.float)
    X = X[torch.randperm(len(X))]
    tr, te = X[:1400], X[1400:]
    vae = VAE()
    opt = torch.optim.Adam(vae.parameters(), lr=a.lr)
    sch = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.epochs)
    for ep in range(a.epochs):
        log = []
        for xb in tr[torch.randperm(len(tr))].split(a.bs):
            loss, rec, kl = elbo(*(lambda o: (o[0], xb, o[1], o[2]))(vae(xb)))
            opt.zero_grad(); loss.backward(); opt.step()
            log.append((loss.item(), rec.item(), kl.item()))
        sch.step()
        if ep % 15 == 0:
            print('ep %d  loss %.3f  rec %.3f  kl %.4f' % ((ep,) + tuple(np.mean(log, 0))))
    with torch.no_grad():
        mu, _ = vae.encode(te)
        err = ((torch.sigmoid(vae.dec(mu)) - te) ** 2).sum()
        print('explained %.4f' % (1 - err / ((te - tr.mean(0)) ** 2).sum()).item())
