import argparse

import torch
from torch import nn
from torch.distributions import Categorical


def play(actor, critic, table, n):
    state = torch.randint(len(table), (n,))
    s = nn.functional.one_hot(state, len(table)).float()
    dist = Categorical(logits=actor(s))
    action = dist.sample()
    reward = table[state, action] + 0.3 * torch.randn(n)
    return dist, action, reward, critic(s).squeeze(1), state


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--updates", type=int, default=700)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    states, actions = 12, 5
    table = torch.rand(states, actions)
    table[torch.arange(states), torch.randint(actions, (states,))] += 1.0
    actor = nn.Sequential(nn.Linear(states, 32), nn.Tanh(), nn.Linear(32, actions))
    critic = nn.Sequential(nn.Linear(states, 32), nn.Tanh(), nn.Linear(32, 1))
    actor_opt = torch.optim.Adam(actor.parameters(), lr=5e-3)
    critic_opt = torch.optim.Adam(critic.parameters(), lr=1e-2)
    for u in range(args.updates):
        dist, action, reward, value, _ = play(actor, critic, table, 64)
        critic_loss = nn.functional.mse_loss(value, reward)
        critic_opt.zero_grad()
        critic_loss.backward()
        critic_opt.step()
        advantage = reward - value.detach()
        actor_loss = -(dist.log_prob(action) * advantage).mean() - 0.01 * dist.entropy().mean()
        actor_opt.zero_grad()
        actor_loss.backward()
        actor_opt.step()
        if u % 70 == 0:
            print(f"update {u} actor {actor_loss.item():.4f} critic {critic_loss.item():.4f} reward {reward.mean():.4f}")
    with torch.no_grad():
        best = actor(torch.eye(states)).argmax(1)
        regret_free = table[torch.arange(states), best] / table.max(1).values
    print(f"share_of_best {regret_free.mean().item():.4f}")


if __name__ == "__main__":
    main()
