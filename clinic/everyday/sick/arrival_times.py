"""Mean and spread of the travel time of a bus, as a normal distribution given hour, stop and rain."""
import argparse

import torch
import torch.nn as nn
from torch.distributions import Normal


class Density(nn.Module):
    def __init__(self):
        super().__init__()
        self.stop = nn.Embedding(20, 6)
        self.mlp = nn.Sequential(nn.Linear(9, 48), nn.Tanh(), nn.Linear(48, 2))

    def forward(self, hour, stop, rain):
        h = torch.stack([torch.sin(hour * 0.2618), torch.cos(hour * 0.2618), rain], 1)
        mu, s = self.mlp(torch.cat([h, self.stop(stop)], 1)).unbind(1)
        return Normal(mu, nn.functional.softplus(s) + 0.05)


def trips(n, g, delays):
    hour = 24 * torch.rand(n, generator=g)
    stop = torch.randint(20, (n,), generator=g)
    rain = (torch.rand(n, generator=g) < 0.25).float()
    rush = torch.exp(-((hour - 8) / 2) ** 2) + torch.exp(-((hour - 17) / 2) ** 2)
    mean = delays[stop] + 1.2 * rush + 0.5 * rain
    t = mean + (0.15 + 0.35 * rush) * torch.randn(n, generator=g)
    return hour, stop, rain, t - 0.7


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1500)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    g = torch.Generator().manual_seed(a.seed)
    delays = torch.randn(20, generator=g) * 0.6
    *train, t_train = trips(4000, g, delays)
    *test, t_test = trips(1000, g, delays)
    net = Density()
    opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
    sched = torch.optim.lr_scheduler.MultiStepLR(opt, [900, 1300], gamma=0.3)
    for step in range(a.steps):
        i = torch.randint(4000, (64,))
        log_lik = net(*[v[i] for v in train]).log_prob(t_train[i])
        loss = log_lik.mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 150 == 0:
            print(step, f"{loss.item():.4f}")
    with torch.no_grad():
        d = net(*test)
        print("inside", (1 - ((t_test - d.mean) ** 2).mean() / t_test.var()).clamp(-9).item())


if __name__ == "__main__":
    main()
