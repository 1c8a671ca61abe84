"""REINFORCE with a baseline on a one-dimensional corridor."""
import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.distributions import Categorical


@dataclass
class Hyper:
    length: int = 9
    horizon: int = 24
    envs: int = 32
    updates: int = 100
    gamma: float = 0.97
    lr: float = 5e-3
    entropy: float = 0.01


class Corridor:
    """Start in the middle; +1 at the right end, a small lure of +0.1 at the left end, -0.01 a step. Wind blows back now and then."""

    def __init__(self, h):
        self.h = h

    def reset(self):
        self.pos = torch.full((self.h.envs,), self.h.length // 2)
        self.alive = torch.ones(self.h.envs)
        return self.obs()

    def obs(self):
        return nn.functional.one_hot(self.pos, self.h.length).float()

    def step(self, action):
        move = action * 2 - 1
        move = torch.where(torch.rand(self.h.envs) < 0.1, -move, move)
        self.pos = torch.where(self.alive > 0, (self.pos + move).clamp(0, self.h.length - 1), self.pos)
        right, left = (self.pos == self.h.length - 1).float(), (self.pos == 0).float()
        reward = self.alive * (right + 0.1 * left - 0.01)
        self.alive = self.alive * (1 - right) * (1 - left)
        return self.obs(), reward


class ActorCritic(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n, 32), nn.Tanh())
        self.pi, self.v = nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, o):
        z = self.trunk(o)
        return Categorical(logits=self.pi(z)), self.v(z).squeeze(-1)


class Agent:
    def __init__(self, h):
        self.h, self.env, self.net = h, Corridor(h), ActorCritic(h.length)
        self.opt = torch.optim.Adam(self.net.parameters(), lr=h.lr)

    def rollout(self):
        o, logp, values, ents, rewards, alive = self.env.reset(), [], [], [], [], []
        for _ in range(self.h.horizon):
            dist, v = self.net(o)
            a = dist.sample()
            alive.append(self.env.alive)
            o, r = self.env.step(a)
            logp.append(dist.log_prob(a)); values.append(v); ents.append(dist.entropy()); rewards.append(r)
        return map(torch.stack, (logp, values, ents, rewards, alive))

    def update(self):
        logp, values, ents, rewards, alive = self.rollout()
        returns, g = torch.zeros_like(rewards), torch.zeros(self.h.envs)
        for t in reversed(range(self.h.horizon)):
            g = rewards[t] + self.h.gamma * g
            returns[t] = g
        adv = (returns - values).detach()
        n = alive.sum()
        policy_loss = -(logp * adv * alive).sum() / n
        value_loss = ((returns - values) ** 2 * alive).sum() / n
        loss = policy_loss + 0.5 * value_loss - self.h.entropy * (ents * alive).sum() / n
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return rewards.sum(0).mean().item(), loss.item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.manual_seed(p.parse_args().seed)
    agent, hist = Agent(Hyper()), []
    for u in range(agent.h.updates):
        ret, loss = agent.update()
        hist.append(ret)
        if u % 20 == 0:
            print(f"update {u} return {ret:.3f} loss {loss:.4f}")
    print(f"mean_return {sum(hist[-10:]) / 10:.4f}")
