"""Learns action values of a corridor of seven cells with replay memory and a target network."""

import argparse
import copy
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CELLS, GAMMA = 7, 0.9


def encode(positions):
    return F.one_hot(torch.as_tensor(positions), CELLS).float()


def play(position, action):
    following = min(max(position + (1 if action == 1 else -1), 0), CELLS - 1)
    arrived = following == CELLS - 1
    return following, float(arrived), arrived


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(CELLS, 24), nn.ReLU(), nn.Linear(24, 2))

    def forward(self, x):
        return self.layers(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2000)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    online = QNetwork()
    target = copy.deepcopy(online)
    optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)
    memory = deque(maxlen=1000)
    position = random.randrange(CELLS - 1)
    for step in range(args.steps):
        epsilon = max(0.1, 1.0 - step / 1000)
        with torch.no_grad():
            greedy = online(encode([position])).argmax(1).item()
        action = random.randrange(2) if random.random() < epsilon else greedy
        following, reward, done = play(position, action)
        memory.append((position, action, reward, following, done))
        position = random.randrange(CELLS - 1) if done else following
        if len(memory) < 64:
            continue
        state, act, rew, nxt, end = zip(*random.sample(memory, 32), strict=True)
        value = online(encode(state)).gather(1, torch.tensor(act).unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            best = target(encode(nxt)).max(1).values
            goal = torch.tensor(rew) + GAMMA * best * (1.0 - torch.tensor(end, dtype=torch.float32))
        loss = F.smooth_l1_loss(value, goal)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            target.load_state_dict(online.state_dict())
        if step % 200 == 0:
            print(f"step {step} loss {loss.item():.5f}")
    with torch.no_grad():
        values = online(encode(list(range(CELLS - 1)))).max(1).values
    truth = torch.tensor([GAMMA ** (CELLS - 2 - p) for p in range(CELLS - 1)])
    print(f"largest value error {(values - truth).abs().max().item():.3f}")


if __name__ == "__main__":
    main()
