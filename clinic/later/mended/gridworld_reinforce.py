import argparse
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Categorical


@dataclass
class Config:
    side: int = 5
    horizon: int = 12
    envs: int = 64
    updates: int = 260
    lr: float = 3e-3
    gamma: float = 0.95
    entropy: float = 0.01


class Policy(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.side = side
        self.body = nn.Sequential(nn.Linear(4 * side, 64), nn.Tanh())
        self.pi = nn.Linear(64, 4)
        self.v = nn.Linear(64, 1)

    def forward(self, pos, goal):
        z = torch.cat([nn.functional.one_hot(pos, self.side).flatten(1), nn.functional.one_hot(goal, self.side).flatten(1)], 1)
        h = self.body(z.float())
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


MOVES = torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])


def rollout(policy, cfg, n):
    pos = torch.randint(cfg.side, (n, 2))
    goal = torch.randint(cfg.side, (n, 2))
    done = (pos == goal).all(1)
    logps, values, rewards, alive, ents = [], [], [], [], []
    for _ in range(cfg.horizon):
        dist, v = policy(pos, goal)
        a = dist.sample()
        alive.append(~done)
        logps.append(dist.log_prob(a))
        ents.append(dist.entropy())
        values.append(v)
        pos = torch.where(done[:, None], pos, (pos + MOVES[a]).clamp(0, cfg.side - 1))
        hit = (pos == goal).all(1) & ~done
        rewards.append(hit.float() - 0.05 * (~done).float())
        done = done | hit
    return map(torch.stack, (logps, values, rewards, alive, ents)), done


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    args = p.parse_args()
    torch.manual_seed(args.seed)
    cfg = Config()
    policy = Policy(cfg.side)
    opt = torch.optim.Adam(policy.parameters(), lr=cfg.lr)
    for u in range(cfg.updates):
        (logp, value, reward, alive, ent), done = rollout(policy, cfg, cfg.envs)
        ret, acc = torch.zeros_like(reward), torch.zeros(cfg.envs)
        for t in reversed(range(cfg.horizon)):
            acc = reward[t] + cfg.gamma * acc
            ret[t] = acc
        adv = (ret - value).detach()
        m = alive.float()
        policy_loss = -(logp * adv * m).sum() / m.sum()
        value_loss = ((ret - value) ** 2 * m).sum() / m.sum()
        loss = policy_loss + 0.5 * value_loss - cfg.entropy * (ent * m).sum() / m.sum()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(policy.parameters(), 5.0)
        opt.step()
        if u % 20 == 0:
            print(f"update {u} loss {loss.item():.4f} reached {done.float().mean():.3f}")
    with torch.no_grad():
        _, done = rollout(policy, cfg, 1000)
    print(f"success {done.float().mean().item():.4f}")


if __name__ == "__main__":
    main()
