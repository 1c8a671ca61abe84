"""Proxy-based metric learning (Proxy-NCA++), tested by the nearest class mean in embedding space."""
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class ClassFolders:
    """Mimics an image folder: one list of samples per class, one after the other."""

    def __init__(self, x, y):
        self.samples = [(x[i], c) for c in np.unique(y) for i in np.flatnonzero(y == c)]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, i):
        v, c = self.samples[i]
        return torch.from_numpy(v), int(c)


class ProxyNCA(nn.Module):
    def __init__(self, classes, dim, scale=8.0):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(classes, dim))
        self.scale = scale

    def forward(self, z, y):
        return F.cross_entropy(self.scale * F.normalize(z, dim=1) @ F.normalize(self.proxies, dim=1).T, y)


def class_mean_accuracy(f, xa, ya, xb, yb):
    with torch.no_grad():
        za, zb = F.normalize(f(torch.from_numpy(xa)), dim=1).numpy(), F.normalize(f(torch.from_numpy(xb)), dim=1).numpy()
    means = np.stack([za[ya == c].mean(0) for c in range(10)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return float(((zb @ means.T).argmax(1) == yb).mean())


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=20)
    ap.add_argument("--dim", type=int, default=8)
    ap.add_argument("--lr", type=float, default=0.05)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    x, y = load_digits(return_X_y=True)
    x = ((x - x.mean()) / x.std()).astype(np.float32)
    pick = np.random.RandomState(a.seed).permutation(len(y))
    xa, ya, xb, yb = x[pick[:1300]], y[pick[:1300]], x[pick[1300:]], y[pick[1300:]]
    loader = torch.utils.data.DataLoader(ClassFolders(xa, ya), batch_size=32, shuffle=True)
    embed = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, a.dim))
    nca = ProxyNCA(10, a.dim)
    opt = torch.optim.SGD([*embed.parameters(), *nca.parameters()], lr=a.lr, momentum=0.9)
    sched = torch.optim.lr_scheduler.PolynomialLR(opt, a.epochs)
    for epoch in range(a.epochs):
        tot = 0.0
        for xb_, yb_ in loader:
            loss = nca(embed(xb_), yb_)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item()
        sched.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {tot / len(loader):.4f} train {class_mean_accuracy(embed, xa, ya, xa, ya):.4f}")
    print(f"class_mean_accuracy {class_mean_accuracy(embed, xa, ya, xb, yb):.4f}")
