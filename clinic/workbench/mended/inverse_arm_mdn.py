"""Mixture density network for a two-branch inverse problem."""
import argparse
import math

import torch
import torch.nn as nn


class MDN(nn.Module):
    def __init__(self, hidden=40, k=4):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.logits = nn.Linear(hidden, k)
        self.mean = nn.Linear(hidden, k)
        self.log_std = nn.Linear(hidden, k)
        for head in (self.logits, self.log_std):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
        nn.init.normal_(self.mean.bias, 0.0, 1.0)

    def log_prob(self, x, y):
        h = self.body(x)
        mix = torch.log_softmax(self.logits(h), dim=1)
        log_std = self.log_std(h).clamp(-5, 3)
        z = (y - self.mean(h)) / log_std.exp()
        comp = -0.5 * z ** 2 - log_std - 0.5 * math.log(2 * math.pi)
        return torch.logsumexp(mix + comp, dim=1)


def arm(n, gen):
    x = torch.rand(n, 1, generator=gen) * 4 - 2
    side = (torch.rand(n, 1, generator=gen) < 0.5).float() * 2 - 1
    y = side * (1.2 + 0.4 * torch.sin(2 * x)) + 0.12 * torch.randn(n, 1, generator=gen)
    return x, y


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=1200)
parser.add_argument("--components", type=int, default=4)
args = parser.parse_args()

torch.manual_seed(args.seed)
gen = torch.Generator().manual_seed(args.seed)
x, y = arm(4000, gen)
x_test, y_test = arm(1000, gen)
model = MDN(k=args.components)
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for step in range(args.steps):
    i = torch.randint(0, 4000, (100,), generator=gen)
    nll = -model.log_prob(x[i], y[i]).mean()
    opt.zero_grad()
    nll.backward()
    opt.step()
    if step % 200 == 199:
        with torch.no_grad():
            held = -model.log_prob(x_test, y_test).mean().item()
        print(f"{step + 1:5d} nll {nll.item():.3f} held-out {held:.3f}")

with torch.no_grad():
    print(f"log_likelihood {model.log_prob(x_test, y_test).mean().item():.4f}")
