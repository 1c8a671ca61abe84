"""Policy gradient on a windy corridor with a learned baseline."""
import argparse

import torch
import torch.nn as nn

LENGTH, HORIZON = 9, 14


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(LENGTH, 24), nn.Tanh(), nn.Linear(24, 2))
        self.value = nn.Sequential(nn.Linear(LENGTH, 24), nn.Tanh(), nn.Linear(24, 1))


def rollout(net, n):
    pos = torch.randint(0, LENGTH, (n,))
    states, actions, rewards = [], [], []
    for _ in range(HORIZON):
        s = nn.functional.one_hot(pos, LENGTH).float()
        with torch.no_grad():
            a = torch.distributions.Categorical(logits=net.policy(s)).sample()
        wind = torch.rand(n) < 0.15
        move = torch.where(wind, torch.randint(0, 2, (n,)), a) * 2 - 1
        pos = (pos + move).clamp(0, LENGTH - 1)
        states.append(s), actions.append(a)
        rewards.append((pos == 6).float() - 0.02 * (pos - 6).abs().float())
    return torch.stack(states), torch.stack(actions), torch.stack(rewards)


def train(args):
    torch.manual_seed(args.seed)
    net = ActorCritic()
    actor = torch.optim.Adam(net.policy.parameters(), lr=args.lr)
    critic = torch.optim.Adam(net.value.parameters(), lr=args.lr)
    for it in range(1, args.iterations + 1):
        s, a, r = rollout(net, args.episodes)
        ret = torch.zeros_like(r)
        acc = torch.zeros(r.shape[1])
        for t in reversed(range(HORIZON)):
            acc = r[t] + 0.9 * acc
            ret[t] = acc
        v = net.value(s).squeeze(-1)
        dist = torch.distributions.Categorical(logits=net.policy(s))
        advantage = (ret - v).detach()
        policy_loss = -(dist.log_prob(a) * advantage).mean() - 0.01 * dist.entropy().mean()
        value_loss = (v - ret).pow(2).mean()
        actor.zero_grad()
        critic.zero_grad()
        (policy_loss + 0.5 * value_loss).backward()
        actor.step()
        critic.step()
        if it % 50 == 0:
            print(f"iteration {it} policy {policy_loss.item():+.4f} value {value_loss.item():.4f} reward {r.sum(0).mean().item():.3f}")
    _, _, r = rollout(net, 1000)
    return r.sum(0).mean().item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--iterations", type=int, default=300)
    p.add_argument("--episodes", type=int, default=32)
    p.add_argument("--lr", type=float, default=5e-3)
    print(f"mean_reward {train(p.parse_args()):.4f}")
