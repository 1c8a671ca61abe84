import argparse
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class EMA:
    def __init__(self, model, decay):
        self.shadow, self.decay = copy.deepcopy(model), decay
        for p in self.shadow.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for s, p in zip(self.shadow.parameters(), model.parameters()):
            s.lerp_(p, 1 - self.decay)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=20)
    ap.add_argument("--flip", type=float, default=0.25)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 8 - 1, dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm]
    crowd = torch.where(torch.rand(1300) < args.flip, torch.randint(10, (1300,)), y[:1300])
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
    ema = EMA(net, 0.98)
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    for epoch in range(args.epochs):
        net.train()
        s = 0.0
        for idx in torch.randperm(1300).split(64):
            loss = F.cross_entropy(net(x[idx] + 0.2 * torch.randn(len(idx), 64)), crowd[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            ema.update(net)
            s += loss.item() * len(idx)
        ema.shadow.eval()
        with torch.no_grad():
            acc = (ema.shadow(x[1300:]).argmax(1) == y[1300:]).float().mean().item()
        print(f"epoch {epoch} loss {s / 1300:.4f} teacher {acc:.4f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
