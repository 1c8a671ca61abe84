"""Mixture density network for an ambiguous inverse problem."""
import argparse
import torch
from torch import nn
from torch.distributions import Categorical, MixtureSameFamily, Normal


class MDN(nn.Module):
    def __init__(self, k=6, h=40):
        super().__init__()
        self.k = k
        self.f = nn.Sequential(nn.Linear(1, h), nn.Tanh(), nn.Linear(h, h), nn.Tanh(), nn.Linear(h, 3 * k))

    def forward(self, x):
        logit, mu, raw = self.f(x).chunk(3, dim=1)
        return MixtureSameFamily(Categorical(logits=logit), Normal(mu, raw.exp().clamp(0.02, 10)))


def inverse_problem(n):
    t = torch.rand(n, 1)
    x = t + 0.3 * torch.sin(6.283 * t) + 0.02 * torch.randn(n, 1)
    return x * 2 - 1, t.squeeze(1)


ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--steps", type=int, default=1000)
args = ap.parse_args()
torch.manual_seed(args.seed)
net = MDN()
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=args.steps)
for step in range(args.steps):
    x, t = inverse_problem(128)
    loss = -net(x).log_prob(t).mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
    if step % 200 == 0:
        print(f"step {step} nll {loss.item():.4f}")
with torch.no_grad():
    x, t = inverse_problem(3000)
    print(f"log_likelihood {net(x).log_prob(t).mean().item():.4f}")
