"""One to five stars with a cumulative-link loss: one score, four ordered thresholds."""
import argparse
import torch
from torch import nn
from torch.nn import functional as F

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)
X = torch.randn(5000, 8)
taste = 1.5 * X[:, 0] + X[:, 1] * X[:, 2] + torch.sin(2 * X[:, 3]) + 0.6 * torch.randn(5000)
stars = torch.bucketize(taste, torch.tensor([-2.2, -0.8, 0.4, 1.8]))


class Ordinal(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 32), nn.GELU(), nn.Linear(32, 1, bias=False))
        self.first = nn.Parameter(torch.tensor(-1.5))
        self.gaps = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        cuts = torch.cat([self.first.view(1), self.first + F.softplus(self.gaps).cumsum(0)])
        return self.score(x) - cuts


net = Ordinal()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 20)
levels = torch.arange(4)
for epoch in range(20):
    tot = 0.0
    for b in torch.randperm(4200).split(70):
        above = (stars[b].unsqueeze(1) > levels).float()
        loss = F.binary_cross_entropy_with_logits(net(X[b]), above)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item()
    sched.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {tot / 60:.4f}")
with torch.no_grad():
    guess = (net(X[4200:]) > 0).sum(1)
    within = ((guess - stars[4200:]).abs() <= 1).float().mean().item()
    exact = (guess == stars[4200:]).float().mean().item()
print(f"within one star {within:.4f}")
print(f"exact_accuracy {exact:.4f}")
