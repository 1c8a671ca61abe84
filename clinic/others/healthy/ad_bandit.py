# policy gradient for a contextual bandit; the "loss" means nothing by itself, the reward does
import argparse
import torch
import torch.nn as nn
from torch.distributions import Categorical

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

N_ADS, N_FEATURES = 5, 8
taste = torch.randn(N_FEATURES, N_ADS)


def click_probability(visitors):
    return torch.sigmoid(2 * visitors @ taste / N_FEATURES ** 0.5 - 0.5)


policy = nn.Sequential(nn.Linear(N_FEATURES, 32), nn.Tanh(), nn.Linear(32, N_ADS))
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
baseline = 0.0
for step in range(2000):
    visitors = torch.randn(64, N_FEATURES)
    dist = Categorical(logits=policy(visitors))
    shown = dist.sample()
    p = click_probability(visitors).gather(1, shown[:, None]).squeeze(1)
    reward = torch.bernoulli(p)
    loss = -(dist.log_prob(shown) * (reward - baseline)).mean() - 0.005 * dist.entropy().mean()
    baseline = 0.98 * baseline + 0.02 * reward.mean().item()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        print('step', step, 'clicks', round(baseline, 3), 'loss', loss.item())

with torch.no_grad():
    visitors = torch.randn(5000, N_FEATURES)
    p = click_probability(visitors)
    got = p.gather(1, policy(visitors).argmax(1, keepdim=True)).mean()
    best, chance = p.max(1).values.mean(), p.mean()
print('gain', round(((got - chance) / (best - chance)).item(), 4))
