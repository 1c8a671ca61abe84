"""Advantage actor-critic with an entropy bonus on a hand-written pole, vectorized."""
import argparse
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Poles:
    def __init__(self, n):
        self.n = n
        self.s = self.fresh(n)

    def fresh(self, n):
        return (torch.rand(n, 2) - 0.5) * 0.2

    def step(self, a):
        th, om = self.s[:, 0], self.s[:, 1]
        force = torch.where(a == 1, 1.0, -1.0)
        om = om + 0.05 * (9.8 * torch.sin(th) + 3.0 * force) + 0.02 * torch.randn(self.n)
        th = th + 0.05 * om
        self.s = torch.stack([th, om], 1)
        done = th.abs() > 0.4
        reward = torch.where(done, -1.0, 1.0 - 2 * th.abs())
        self.s = torch.where(done[:, None], self.fresh(self.n), self.s)
        return reward, done


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.Tanh())
        self.pi, self.v = nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, s):
        h = self.body(s * torch.tensor([4.0, 1.0]))
        return self.pi(h), self.v(h).squeeze(-1)


def main(a):
    torch.manual_seed(a.seed)
    env, net = Poles(32), ActorCritic()
    opt = torch.optim.RMSprop(net.parameters(), lr=a.lr, alpha=0.99)
    for it in range(a.updates):
        logp, ent, val, rew, mask = [], [], [], [], []
        for _ in range(10):
            logits, v = net(env.s)
            d = Categorical(logits=logits)
            act = d.sample()
            r, done = env.step(act)
            logp.append(d.log_prob(act)); ent.append(d.entropy()); val.append(v); rew.append(r); mask.append(1 - done.float())
        with torch.no_grad():
            ret = net(env.s)[1]
        target = []
        for r, m in zip(reversed(rew), reversed(mask)):
            ret = r + 0.95 * m * ret
            target.insert(0, ret)
        val, target = torch.stack(val), torch.stack(target)
        adv = (target - val).detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-6)
        loss = -(torch.stack(logp) * adv).mean() + 0.05 * (target - val).pow(2).mean() - 0.01 * torch.stack(ent).mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        opt.step()
        if it % 50 == 0:
            print(f"update {it} loss {loss.item():+.4f} reward {torch.stack(rew).mean().item():+.3f}")
    with torch.no_grad():
        env, tot = Poles(256), 0.0
        for _ in range(100):
            tot += env.step(net(env.s)[0].argmax(1))[0].mean().item() / 100
    print(f"reward_per_step {tot:.4f}")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--updates", type=int, default=400)
    p.add_argument("--lr", type=float, default=5e-3)
    main(p.parse_args())
