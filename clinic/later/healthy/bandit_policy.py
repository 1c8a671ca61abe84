# contextual bandit, policy gradient with a running baseline
import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

CONTEXT, ARMS = 6, 4
true = torch.randn(CONTEXT, ARMS)

policy = nn.Sequential(nn.Linear(CONTEXT, 32), nn.Tanh(), nn.Linear(32, ARMS))
optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
baseline = 0.0

for episode in range(1500):
    s = torch.randn(64, CONTEXT)
    dist = torch.distributions.Categorical(logits=policy(s))
    a = dist.sample()
    reward = (s @ true).gather(1, a.unsqueeze(1)).squeeze(1) + 0.5 * torch.randn(64)
    advantage = reward - baseline
    baseline = 0.95 * baseline + 0.05 * reward.mean().item()
    loss = -(dist.log_prob(a) * advantage).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if episode % 150 == 149:
        print("episode", episode + 1, "loss", round(loss.item(), 4), "average reward", round(baseline, 4))

with torch.no_grad():
    s = torch.randn(4000, CONTEXT)
    value = s @ true
    got = value.gather(1, policy(s).argmax(1, keepdim=True)).mean()
    best = value.max(1).values.mean()
print("share_of_best", (got / best).item())
