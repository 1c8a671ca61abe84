"""Domain-adversarial training: a shared trunk, a label head, and a domain head behind a gradient reversal."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.strength * grad, None


class DANN(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU())
        self.label, self.domain = nn.Linear(48, 10), nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x, strength):
        z = self.trunk(x)
        return self.label(z), self.domain(Reverse.apply(z, strength))


def main(seed, steps=600):
    torch.manual_seed(seed)
    d = load_digits()
    x, y = torch.tensor(d.data / 8 - 0.6, dtype=torch.float32), torch.tensor(d.target)
    p = torch.randperm(len(x))
    src, tgt = p[:900], p[900:]
    xs, ys = x[src], y[src]
    xt, yt = 0.7 * x[tgt] + 0.3 + 0.2 * torch.randn_like(x[tgt]), y[tgt]
    net = DANN()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    for k in range(steps):
        strength = 0.3 * min(1.0, k / 200)
        i, j = torch.randint(len(xs), (48,)), torch.randint(len(xt), (48,))
        ls, ds = net(xs[i], strength)
        _, dt = net(xt[j], strength)
        domain = F.cross_entropy(torch.cat([ds, dt]), torch.tensor([0] * 48 + [1] * 48))
        loss = F.cross_entropy(ls, ys[i]) + domain
        opt.zero_grad()
        loss.backward()
        opt.step()
        if k % 100 == 0:
            print(f"{k} total {loss.item():.4f} domain {domain.item():.4f}")
    with torch.no_grad():
        print(f"target_accuracy {(net(xt, 0.0)[0].argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
