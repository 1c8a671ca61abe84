import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits

# contrastive training on pairs, then nearest centre


class Encoder(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(64, 64), nn.Linear(64, dim)])

    def forward(self, x):
        return self.layers[1](torch.relu(self.layers[0](x)))


def distance(a, b):
    return torch.sqrt(((a - b) ** 2).sum(dim=1))


def contrastive(a, b, same, margin=2.0):
    d = distance(a, b)
    return (same * d ** 2 + (1 - same) * torch.clamp(margin - d, min=0) ** 2).mean()


def accuracy(enc, xa, ya, xb, yb):
    with torch.no_grad():
        za, zb = enc(xa), enc(xb)
        centres = torch.stack([za[ya == c].mean(0) for c in range(10)])
        return (torch.cdist(zb, centres).argmin(1) == yb).float().mean().item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y)
    p = torch.randperm(len(X))
    X, y = X[p], y[p]
    enc = Encoder()
    opt = torch.optim.Adam(enc.parameters(), lr=2e-3)
    for it in range(1200):
        i = torch.randint(0, 1300, (48,))
        j = torch.randint(0, 1300, (48,))
        loss = contrastive(enc(X[i]), enc(X[j]), (y[i] == y[j]).float())
        opt.zero_grad()
        loss.backward()
        opt.step()
        if it % 200 == 0:
            print(it, f"{loss.item():.4f}")
    print(f"accuracy {accuracy(enc, X[:1300], y[:1300], X[1300:], y[1300:]):.3f}")
