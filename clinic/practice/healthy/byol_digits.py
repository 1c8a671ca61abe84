"""BYOL in miniature: online and target networks, the target an exponential average; scored by 1-NN under shifts."""
import argparse
import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression


def view(x):
    img = x.view(-1, 8, 8)
    out = torch.empty_like(img)
    for k, part in enumerate(torch.randperm(len(img)).chunk(4)):
        dy, dx = [(0, 0), (0, 1), (1, 0), (0, -1)][k]
        out[part] = torch.roll(img[part], (dy, dx), (1, 2))
    return (out + 0.3 * torch.randn_like(out)).flatten(1)


def mlp(i, h, o):
    return nn.Sequential(nn.Linear(i, h), nn.BatchNorm1d(h), nn.ReLU(), nn.Linear(h, o))


class BYOL(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = nn.Sequential(mlp(64, 128, 64), mlp(64, 64, 32))
        self.predictor = mlp(32, 64, 32)
        self.target = copy.deepcopy(self.online)
        for p in self.target.parameters():
            p.requires_grad = False

    def forward(self, a, b):
        pa, pb = self.predictor(self.online(a)), self.predictor(self.online(b))
        with torch.no_grad():
            ta, tb = self.target(a), self.target(b)
        return 2 - F.cosine_similarity(pa, tb).mean() - F.cosine_similarity(pb, ta).mean()

    @torch.no_grad()
    def update(self, tau):
        for o, t in zip(self.online.parameters(), self.target.parameters()):
            t.mul_(tau).add_(o, alpha=1 - tau)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=25)
    ap.add_argument("--lr", type=float, default=6e-3)
    ap.add_argument("--tau", type=float, default=0.98)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm.numpy()]
    model = BYOL()
    opt = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=a.lr, weight_decay=1e-4)
    for epoch in range(a.epochs):
        model.train()
        acc = 0.0
        for idx in torch.randperm(1300).split(130):
            loss = model(view(x[idx]), view(x[idx]))
            opt.zero_grad()
            loss.backward()
            opt.step()
            model.update(a.tau)
            acc += loss.item() / 10
        if epoch % 5 == 0:
            print(f"epoch {epoch} byol {acc:.4f}")
    model.eval()
    with torch.no_grad():
        z = model.online[0](x).numpy()
    probe = LogisticRegression(max_iter=500).fit(z[:1300], y[:1300])
    print(f"linear_probe {probe.score(z[1300:], y[1300:]):.4f}")


if __name__ == "__main__":
    main()
