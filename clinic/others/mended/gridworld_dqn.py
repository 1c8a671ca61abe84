import argparse
import random
from collections import deque, namedtuple

import numpy as np
import torch
import torch.nn as nn

Transition = namedtuple("Transition", "state action reward next_state done")
MOVES = [(-1, 0), (1, 0), (0, -1), (0, 1)]


class Grid:
    size = 5

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.agent = [self.rng.randrange(self.size), self.rng.randrange(self.size)]
        self.goal = [self.rng.randrange(self.size), self.rng.randrange(self.size)]
        self.t = 0
        return self.state()

    def state(self):
        return np.array(self.agent + self.goal, dtype=np.float32) / 2 - 1

    def step(self, a):
        self.t += 1
        for k in (0, 1):
            self.agent[k] = min(max(self.agent[k] + MOVES[a][k], 0), self.size - 1)
        hit = self.agent == self.goal
        return self.state(), 1.0 if hit else -0.05, hit


class DQNAgent:
    def __init__(self, seed, lr=2e-3, gamma=0.9):
        self.rng = random.Random(seed)
        self.q = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.target = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.target.load_state_dict(self.q.state_dict())
        self.memory = deque(maxlen=5000)
        self.opt = torch.optim.Adam(self.q.parameters(), lr=lr)
        self.loss = nn.SmoothL1Loss()
        self.gamma, self.updates = gamma, 0

    def act(self, s, eps):
        if self.rng.random() < eps:
            return self.rng.randrange(4)
        with torch.no_grad():
            return int(self.q(torch.from_numpy(s)).argmax())

    def learn(self, batch_size=64):
        batch = Transition(*zip(*self.rng.sample(self.memory, batch_size)))
        s = torch.from_numpy(np.stack(batch.state))
        s2 = torch.from_numpy(np.stack(batch.next_state))
        a = torch.tensor(batch.action).unsqueeze(1)
        r = torch.tensor(batch.reward)
        done = torch.tensor(batch.done).float()
        q = self.q(s).gather(1, a).squeeze(1)
        with torch.no_grad():
            y = r + self.gamma * (1 - done) * self.target(s2).max(1).values
        loss = self.loss(q, y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.updates += 1
        if self.updates % 100 == 0:
            self.target.load_state_dict(self.q.state_dict())
        return loss.item()


def evaluate(agent, rng, episodes=100):
    env, hits = Grid(rng), 0
    for _ in range(episodes):
        s = env.reset()
        for _ in range(10):
            s, _, hit = env.step(agent.act(s, 0.0))
            if hit:
                hits += 1
                break
    return hits / episodes


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=5000)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    agent = DQNAgent(a.seed)
    env = Grid(random.Random(a.seed + 1))
    s, loss = env.reset(), float("nan")
    for step in range(a.steps):
        act = agent.act(s, max(0.1, 1 - step / 2500))
        s2, r, done = env.step(act)
        agent.memory.append(Transition(s, act, r, s2, done))
        s = env.reset() if done or env.t >= 30 else s2
        if step > 300 and step % 3 == 0:
            loss = agent.learn()
        if step % 1000 == 0:
            print(f"step {step} loss {loss:.4f}")
    print(f"success {evaluate(agent, random.Random(99)):.4f}")


if __name__ == "__main__":
    main()
