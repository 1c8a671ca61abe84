"""REINFORCE with a running baseline on a windy grid, all episodes of a batch rolled out in parallel."""
import argparse
import torch
import torch.nn as nn
from torch.distributions import Categorical

MOVES = torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])


class WindyGrid:
    def __init__(self, n, size=6, horizon=16):
        self.n, self.size, self.horizon = n, size, horizon
        self.goal = torch.tensor([size - 1, size - 2])

    def reset(self):
        self.pos = torch.randint(0, self.size, (self.n, 2))
        self.done = torch.zeros(self.n, dtype=torch.bool)
        return self.obs()

    def obs(self):
        return torch.cat([self.pos.float() / (self.size - 1) * 2 - 1, (self.goal - self.pos).float() / self.size], 1)

    def step(self, a):
        push = (torch.rand(self.n) < 0.1).long()
        new = self.pos + MOVES[a]
        new[:, 1] += push
        self.pos = torch.where(self.done[:, None], self.pos, new.clamp(0, self.size - 1))
        hit = (self.pos == self.goal).all(1)
        reward = torch.where(self.done, 0.0, torch.where(hit, 1.0, -0.05))
        self.done = self.done | hit
        return self.obs(), reward, self.done


def rollout(env, policy):
    obs, logps, rewards, alive = env.reset(), [], [], []
    for _ in range(env.horizon):
        pi = Categorical(logits=policy(obs))
        a = pi.sample()
        alive.append((~env.done).float())
        logps.append(pi.log_prob(a))
        obs, r, _ = env.step(a)
        rewards.append(r)
    return torch.stack(logps), torch.stack(rewards), torch.stack(alive)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--updates", type=int, default=250)
    ap.add_argument("--lr", type=float, default=5e-3)
    ap.add_argument("--gamma", type=float, default=0.97)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    env = WindyGrid(64)
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 4))
    opt = torch.optim.Adam(policy.parameters(), lr=a.lr)
    baseline = torch.zeros(env.horizon, 1)
    for it in range(a.updates):
        logp, r, alive = rollout(env, policy)
        returns, acc = torch.zeros_like(r), torch.zeros(env.n)
        for t in reversed(range(env.horizon)):
            acc = r[t] + a.gamma * acc
            returns[t] = acc
        adv = (returns - baseline) * alive
        baseline = 0.9 * baseline + 0.1 * returns.mean(1, keepdim=True)
        loss = -(logp * adv).sum(0).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if it % 25 == 0:
            print(f"update {it:4d} loss {loss.item():+.3f} return {r.sum(0).mean().item():+.3f}")
    with torch.no_grad():
        score = torch.stack([rollout(env, policy)[1].sum(0).mean() for _ in range(8)]).mean()
    print(f"mean_return {score.item():.4f}")


if __name__ == "__main__":
    main()
