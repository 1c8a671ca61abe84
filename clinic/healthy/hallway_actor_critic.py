"""An agent in a hallway of nine cells looks for the door at its end."""

import argparse

import torch
from torch import nn

CELLS, LIMIT = 9, 40


def one_hot(cell):
    return nn.functional.one_hot(torch.tensor(cell), CELLS).float()


def episode(actor, generator):
    cell, states, actions, rewards = 0, [], [], []
    for _ in range(LIMIT):
        state = one_hot(cell)
        with torch.no_grad():
            p = actor(state).softmax(0)
        action = int(torch.multinomial(p, 1, generator=generator))
        states.append(state)
        actions.append(action)
        cell = max(0, cell + (1 if action == 1 else -1))
        rewards.append(1.0 if cell == CELLS - 1 else -0.05)
        if cell == CELLS - 1:
            break
    return torch.stack(states), torch.tensor(actions), rewards


def returns(rewards, gamma=0.97):
    out, total = [], 0.0
    for r in reversed(rewards):
        total = r + gamma * total
        out.append(total)
    return torch.tensor(out[::-1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    actor = nn.Sequential(nn.Linear(CELLS, 24), nn.Tanh(), nn.Linear(24, 2))
    critic = nn.Sequential(nn.Linear(CELLS, 24), nn.Tanh(), nn.Linear(24, 1))
    actor_optimizer = torch.optim.Adam(actor.parameters(), lr=5e-3)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    lengths = []
    for n in range(250):
        states, actions, rewards = episode(actor, generator)
        target = returns(rewards)
        value = critic(states).squeeze(1)
        critic_loss = nn.functional.mse_loss(value, target)
        critic_optimizer.zero_grad()
        critic_loss.backward()
        critic_optimizer.step()
        log_p = actor(states).log_softmax(1).gather(1, actions[:, None]).squeeze(1)
        actor_loss = -(log_p * (target - value.detach())).mean()
        actor_optimizer.zero_grad()
        actor_loss.backward()
        actor_optimizer.step()
        lengths.append(len(rewards))
        if n % 25 == 24:
            print(f"episode {n + 1} mean length {sum(lengths[-25:]) / 25:.1f}")
    print("speed", 8 / (sum(lengths[-50:]) / 50))


if __name__ == "__main__":
    main()
