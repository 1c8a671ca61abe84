"""Trains a policy by REINFORCE to walk a corridor of nine cells to its right end."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

CELLS, LIMIT = 9, 30


class Corridor:
    def reset(self):
        self.position, self.clock = random.randrange(CELLS - 1), 0
        return self.observe()

    def observe(self):
        return F.one_hot(torch.tensor(self.position), CELLS).float()

    def step(self, action):
        slip = random.random() < 0.1
        move = 1 if (action == 1) != slip else -1
        self.position = min(max(self.position + move, 0), CELLS - 1)
        self.clock += 1
        arrived = self.position == CELLS - 1
        return self.observe(), (1.0 if arrived else -0.05), arrived or self.clock >= LIMIT


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(CELLS, 16)
        self.affine2 = nn.Linear(16, 2)

    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.affine1(x))), dim=-1)


def finish_episode(log_probs, rewards, optimizer, gamma=0.97):
    returns, value = [], 0.0
    for reward in reversed(rewards):
        value = reward + gamma * value
        returns.insert(0, value)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6) if len(returns) > 1 else returns
    loss = torch.stack([-p * r for p, r in zip(log_probs, returns, strict=True)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description="REINFORCE in a corridor")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=400)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    env, policy = Corridor(), Policy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
    lengths = []
    for episode in range(1, args.episodes + 1):
        state, done = env.reset(), False
        log_probs, rewards = [], []
        while not done:
            distribution = Categorical(policy(state))
            action = distribution.sample()
            log_probs.append(distribution.log_prob(action))
            state, reward, done = env.step(action.item())
            rewards.append(reward)
        loss = finish_episode(log_probs, rewards, optimizer)
        lengths.append(len(rewards))
        if episode % 50 == 0:
            print(f"Episode {episode} mean length {np.mean(lengths[-50:]):.1f} loss {loss:.3f}")
    print(f"mean length {np.mean(lengths[-50:]):.2f}")


if __name__ == "__main__":
    main()
