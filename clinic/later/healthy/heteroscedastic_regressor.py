import argparse

import torch
from torch import nn


class MeanVariance(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh())
        self.mean = nn.Linear(width, 1)
        self.log_var = nn.Linear(width, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h).squeeze(1), self.log_var(h).squeeze(1)


def nll(mean, log_var, y):
    return 0.5 * (log_var + (y - mean) ** 2 * (-log_var).exp()).mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=1500)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x = torch.rand(4000, 2) * 4 - 2
    sigma = 0.02 + 0.08 * torch.sigmoid(2 * x[:, 1])
    y = torch.sin(2 * x[:, 0]) + 0.3 * x[:, 1] + sigma * torch.randn(4000)
    net = MeanVariance()
    heads = list(net.mean.parameters()) + list(net.log_var.parameters())
    opt = torch.optim.Adam([{"params": net.body.parameters(), "lr": 3e-3}, {"params": heads, "lr": 5e-3}])
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 100) * (1 - s / args.steps))
    for step in range(args.steps):
        idx = torch.randint(3500, (128,))
        loss = nll(*net(x[idx]), y[idx])
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        sched.step()
        if step % 150 == 0:
            print(f"step {step} nll {loss.item():.4f}")
    with torch.no_grad():
        print(f"r2 {1 - ((net(x[3500:])[0] - y[3500:]) ** 2).mean().item() / y[3500:].var().item():.4f}")


if __name__ == "__main__":
    main()
