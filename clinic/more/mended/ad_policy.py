import argparse
import torch
from torch import nn
from torch.distributions import Categorical

# which of four banners to show to a visitor with five features; reward is a click


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 32), nn.Tanh(), nn.Linear(32, 4))

    def forward(self, s):
        return Categorical(logits=self.net(s))


class Site:
    def __init__(self, g):
        self.g = g
        self.taste = torch.randn(5, 4, generator=g)

    def visitors(self, n):
        return torch.randn(n, 5, generator=self.g)

    def click(self, s, a):
        p = torch.sigmoid(2 * (s @ self.taste)).gather(1, a[:, None])[:, 0]
        return (torch.rand(len(a), generator=self.g) < p).float()

    def best(self, s):
        return (s @ self.taste).argmax(1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
site, policy = Site(torch.Generator().manual_seed(seed)), Policy()
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)
baseline = 0.5
for it in range(1000):
    s = site.visitors(64)
    dist = policy(s)
    a = dist.sample()
    r = site.click(s, a)
    advantage = r - baseline
    baseline = 0.95 * baseline + 0.05 * r.mean().item()
    loss = -(dist.log_prob(a) * advantage).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 100 == 0:
        print(f"{it:4d} clicks {r.mean().item():.2f}")
with torch.no_grad():
    s = site.visitors(1000)
    print("accuracy %.3f" % (policy(s).logits.argmax(1) == site.best(s)).float().mean())
