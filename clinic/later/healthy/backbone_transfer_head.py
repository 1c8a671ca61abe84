import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def epochs(net, opt, x, y, n, tag):
    for e in range(n):
        s = 0.0
        for idx in torch.randperm(len(y)).split(48):
            loss = F.cross_entropy(net(x[idx]), y[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item() * len(idx)
        if e % 4 == 0:
            print(f"{tag} epoch {e} loss {s / len(y):.4f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 8 - 1, dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm]
    body = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU())
    source = nn.Sequential(body, nn.Linear(128, 10))
    epochs(source, torch.optim.Adam(source.parameters(), lr=1e-3), x[:1000], y[:1000], 16, "source")

    for p in body.parameters():
        p.requires_grad_(False)
    target = nn.Sequential(body, nn.Linear(128, 10))
    xt, yt = 0.8 * x[1000:] + 0.1, y[1000:]
    opt = torch.optim.Adam([p for p in target.parameters() if p.requires_grad], lr=5e-3)
    epochs(target, opt, xt[:450], yt[:450], 20, "target")
    with torch.no_grad():
        print(f"accuracy {(target(xt[450:]).argmax(1) == yt[450:]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
