import argparse
import copy
import random

import torch
from torch import nn

SIZE = 5
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]


def step(cell, action):
    r = min(max(cell[0] + MOVES[action][0], 0), SIZE - 1)
    c = min(max(cell[1] + MOVES[action][1], 0), SIZE - 1)
    done = (r, c) == (SIZE - 1, SIZE - 1)
    return (r, c), (1.0 if done else -0.02), done


def encode(cells):
    return nn.functional.one_hot(torch.tensor([r * SIZE + c for r, c in cells]), SIZE * SIZE).float()


class Agent:
    def __init__(self, rng):
        self.net = nn.Sequential(nn.Linear(SIZE * SIZE, 32), nn.ReLU(), nn.Linear(32, 4))
        self.target = copy.deepcopy(self.net)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=3e-3)
        self.memory, self.rng, self.count = [], rng, 0

    def act(self, cell, epsilon):
        if self.rng.random() < epsilon:
            return self.rng.randrange(4)
        with torch.no_grad():
            return int(self.net(encode([cell])).argmax())

    def learn(self):
        rows = self.rng.sample(self.memory, 32)
        cell, action, reward, after, done = zip(*rows)
        with torch.no_grad():
            best = self.target(encode(after)).max(1).values
            wanted = torch.tensor(reward) + 0.95 * best * (1 - torch.tensor(done, dtype=torch.float32))
        value = self.net(encode(cell)).gather(1, torch.tensor(action)[:, None])[:, 0]
        loss = nn.functional.smooth_l1_loss(value, wanted)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.count += 1
        if self.count % 50 == 0:
            self.target.load_state_dict(self.net.state_dict())
        return loss.item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    agent = Agent(random.Random(seed))
    cell = (0, 0)
    for t in range(1800):
        action = agent.act(cell, max(0.1, 1 - t / 900))
        after, reward, done = step(cell, action)
        agent.memory.append((cell, action, reward, after, done))
        cell = (0, 0) if done else after
        if len(agent.memory) > 100:
            loss = agent.learn()
            if t % 150 == 0:
                print(f"step {t} loss {loss:.5f}")
    cell, length = (0, 0), 0
    while cell != (SIZE - 1, SIZE - 1) and length < 30:
        cell, _, _ = step(cell, agent.act(cell, 0.0))
        length += 1
    print("speed", 8 / length)


if __name__ == "__main__":
    main()
