import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

machines = torch.tensor([[0.1, 0.9, 0.3], [0.8, 0.2, 0.4], [0.3, 0.3, 0.7], [0.5, 0.1, 0.6]])
policy = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
optimizer = torch.optim.Adam(policy.parameters(), lr=0.01)
baseline, earned = 0.5, []
for step in range(600):
    room = torch.randint(0, 4, (32,))
    choice = torch.distributions.Categorical(logits=policy(torch.eye(4)[room]))
    arm = choice.sample()
    reward = (torch.rand(32) < machines[room, arm]).float()
    loss = -(choice.log_prob(arm) * (reward - baseline)).mean() - 0.01 * choice.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline = 0.95 * baseline + 0.05 * reward.mean().item()
    earned.append(reward.mean().item())
    if step % 60 == 0:
        print("step", step, "reward", round(baseline, 3))
print("reward", sum(earned[-100:]) / 100)
