import argparse
import collections

import torch
import torch.nn as nn
from torch.distributions import Categorical


class Shop:
    """A customer comes, the machine recommends one product, the customer buys it or not."""

    def __init__(self, products=6, traits=8):
        self.taste = 1.3 * torch.randn(traits, products)

    def customers(self, n):
        return torch.randn(n, self.taste.shape[0])

    def sell(self, customers, products):
        p = torch.sigmoid((customers @ self.taste).gather(1, products[:, None]).squeeze(1) - 1.0)
        return (torch.rand(len(p)) < p).float()


class Agent:
    def __init__(self, traits, products):
        self.policy = nn.Sequential(nn.Linear(traits, 32), nn.Tanh(), nn.Linear(32, products))
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=3e-3)
        self.baseline = 0.0

    def act(self, customers):
        dist = Categorical(logits=self.policy(customers))
        choice = dist.sample()
        return choice, dist.log_prob(choice)

    def learn(self, log_prob, reward):
        advantage = reward - self.baseline
        self.baseline = 0.95 * self.baseline + 0.05 * reward.mean().item()
        loss = (log_prob * advantage).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main(seed, rounds=1500):
    torch.manual_seed(seed)
    shop = Shop()
    agent = Agent(8, 6)
    recent = collections.deque(maxlen=100)
    for r in range(rounds):
        people = shop.customers(64)
        choice, logp = agent.act(people)
        sold = shop.sell(people, choice)
        loss = agent.learn(logp, sold)
        recent.append(sold.mean().item())
        if r % 150 == 149:
            print(f"round {r + 1} loss {loss:+.4f} sold {sum(recent) / len(recent):.3f}")
    with torch.no_grad():
        people = shop.customers(4000)
        choice, _ = agent.act(people)
        print(f"sales {shop.sell(people, choice).mean().item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
