# Clipped policy optimisation on a contextual bandit.
import argparse
import torch
import torch.nn as nn
from torch.distributions import Categorical


class Bandit:
    def __init__(self, contexts=6, arms=5):
        self.w = torch.randn(contexts, arms)
        self.contexts = contexts

    def observe(self, n):
        return torch.randn(n, self.contexts)

    def pull(self, c, a):
        mean = torch.tanh(c @ self.w)
        return mean.gather(1, a[:, None]).squeeze(1) + 0.3 * torch.randn(len(a)), mean


class Policy(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(i, 48), nn.Tanh(), nn.Linear(48, o))
        nn.init.orthogonal_(self.f[-1].weight, gain=0.01)

    def forward(self, c):
        return Categorical(logits=self.f(c))


def ppo_update(policy, opt, c, a, adv, old, clip=0.2, passes=4):
    for _ in range(passes):
        for i in torch.randperm(len(c)).split(128):
            ratio = (policy(c[i]).log_prob(a[i]) - old[i]).exp()
            loss = -torch.min(ratio * adv[i], ratio.clamp(1 - clip, 1 + clip) * adv[i]).mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
            opt.step()
    return loss.item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    torch.manual_seed(p.parse_args().seed)
    bandit, policy = Bandit(), Policy(6, 5)
    opt = torch.optim.Adam(policy.parameters(), lr=3e-3)
    for it in range(60):
        c = bandit.observe(512)
        with torch.no_grad():
            dist = policy(c)
            a = dist.sample()
            old = dist.log_prob(a)
            r, _ = bandit.pull(c, a)
        adv = (r - r.mean()) / r.std()
        loss = ppo_update(policy, opt, c, a, adv, old)
        if it % 10 == 0:
            print(f"iteration {it} reward {r.mean().item():.3f} surrogate {loss:.4f}")
    with torch.no_grad():
        c = bandit.observe(2000)
        _, mean = bandit.pull(c, policy(c).sample())
        got = mean.gather(1, policy(c).probs.argmax(1, keepdim=True)).mean() / mean.max(1).values.mean()
    print(f"share_of_best {got.item():.4f}")
