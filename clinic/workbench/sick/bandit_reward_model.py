"""Contextual bandit: epsilon-greedy on a learned reward model, trained online from a replay buffer."""
import argparse

import torch
import torch.nn as nn

ARMS, CONTEXT = 5, 6


class RewardNet(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(CONTEXT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                               nn.Linear(width, ARMS))

    def forward(self, c):
        return self.f(c)


class World:
    def __init__(self, seed):
        self.gen = torch.Generator().manual_seed(seed)
        self.w = torch.randn(CONTEXT, ARMS, generator=self.gen)
        self.q = torch.randn(CONTEXT, ARMS, generator=self.gen)

    def contexts(self, n):
        return torch.randn(n, CONTEXT, generator=self.gen)

    def mean_reward(self, c):
        return 0.6 * torch.tanh(c @ self.w) + 0.6 * torch.sin(c @ self.q)


class Agent:
    def __init__(self, lr, eps):
        self.net, self.eps = RewardNet(), eps
        self.opt = torch.optim.Adam(self.net.parameters(), lr=lr)
        self.c, self.a, self.r = [], [], []

    @torch.no_grad()
    def act(self, c):
        greedy = self.net(c).argmax(1)
        explore = torch.rand(len(c)) < self.eps
        return torch.where(explore, torch.randint(0, ARMS, (len(c),)), greedy)

    def remember(self, c, a, r):
        self.c.append(c), self.a.append(a), self.r.append(r)

    def learn(self, batches, size=64):
        c, a, r = torch.cat(self.c), torch.cat(self.a), torch.cat(self.r)
        total = 0.0
        for _ in range(batches):
            i = torch.randint(0, len(c), (size,))
            pred = self.net(c[i]).gather(1, a[i, None]).squeeze(1)
            loss = (pred - r[i]).pow(2).mean()
            loss.backward()
            self.opt.step()
            total += loss.item()
        return total / batches


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--rounds", type=int, default=60)
    p.add_argument("--eps", type=float, default=0.2)
    p.add_argument("--lr", type=float, default=2e-3)
    args = p.parse_args()
    torch.manual_seed(args.seed)
    world, agent = World(args.seed + 50), Agent(args.lr, args.eps)
    for t in range(args.rounds):
        c = world.contexts(100)
        a = agent.act(c)
        r = world.mean_reward(c).gather(1, a[:, None]).squeeze(1) + 0.1 * torch.randn(100)
        agent.remember(c, a, r)
        loss = agent.learn(20)
        if t % 10 == 9:
            print(f"round {t + 1} loss {loss:.4f} reward {r.mean().item():.3f}")
    c = world.contexts(4000)
    m = world.mean_reward(c)
    with torch.no_grad():
        got = m.gather(1, agent.net(c).argmax(1, keepdim=True)).mean()
    print(f"share_of_best {(got / m.max(1).values.mean()).item():.4f}")


if __name__ == "__main__":
    main()
