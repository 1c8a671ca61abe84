import argparse
import torch
from torch import nn
from torch.distributions import Categorical


class Corridor:
    """Key on the left, door on the right; the agent starts anywhere between."""

    def __init__(self, n_envs, length=7):
        self.n, self.length = n_envs, length

    def reset(self):
        self.pos = torch.randint(1, self.length - 1, (self.n,))
        self.key = torch.zeros(self.n, dtype=torch.bool)
        self.done = torch.zeros(self.n, dtype=torch.bool)
        return self.view()

    def view(self):
        onehot = nn.functional.one_hot(self.pos, self.length).float()
        return torch.cat([onehot, self.key.float().unsqueeze(1)], 1)

    def step(self, action):
        self.pos = (self.pos + 2 * action - 1).clamp(0, self.length - 1)
        new_key = (self.pos == 0) & ~self.key & ~self.done
        self.key |= new_key
        opened = (self.pos == self.length - 1) & self.key & ~self.done
        reward = 0.3 * new_key.float() + opened.float() - 0.01 * (~self.done).float()
        self.done |= opened
        return self.view(), reward


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    env = Corridor(48)
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
    for update in range(150):
        obs, logps, rewards, entropy = env.reset(), [], [], 0.0
        for _ in range(20):
            dist = Categorical(logits=policy(obs))
            action = dist.sample()
            logps.append(dist.log_prob(action))
            entropy = entropy + dist.entropy().mean() / 20
            obs, r = env.step(action)
            rewards.append(r)
        rewards = torch.stack(rewards)
        returns = rewards.flip(0).cumsum(0).flip(0)
        advantage = (returns - returns.mean(1, keepdim=True)) / (returns.std() + 1e-6)
        loss = -(torch.stack(logps) * advantage).mean() - 0.01 * entropy
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % 15 == 0:
            print(f"update {update} return {rewards.sum(0).mean():.3f} loss {loss.item():.4f}")
    obs, total = env.reset(), 0.0
    with torch.no_grad():
        for _ in range(20):
            obs, r = env.step(policy(obs).argmax(1))
            total += r.mean().item()
    print(f"return {total:.4f}")


if __name__ == "__main__":
    main()
