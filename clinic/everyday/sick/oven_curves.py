import argparse
import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn


def curves(n, rng):
    start = rng.normal(22, 3, n)
    top = rng.normal(840, 25, n)
    ramp = rng.uniform(0.03, 0.09, n)
    hold = rng.uniform(20, 60, n)
    t = np.arange(0, 120, 6)
    up = start[:, None] + (top - start)[:, None] * (1 - np.exp(-ramp[:, None] * t))
    down = np.where(t > 40 + hold[:, None], 0.004 * (t - 40 - hold[:, None]) * top[:, None], 0)
    temp = up - down + rng.normal(0, 4, (n, len(t)))
    hardness = 0.03 * (top - 840) + 25 * (ramp - 0.06) + 0.06 * (hold - 40) + rng.normal(0, 0.15, n)
    return temp, hardness


class Preprocess:
    def __init__(self):
        self.scaler = StandardScaler()

    def training(self, temp, hardness):
        z = self.scaler.fit_transform(temp)
        return torch.tensor(z).float(), torch.tensor(hardness).float()

    def serving(self, temp, hardness):
        z = StandardScaler(with_std=False).fit_transform(temp)
        return torch.tensor(z).float(), torch.tensor(hardness).float()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    torch.manual_seed(args.seed)
    pre = Preprocess()
    x, y = pre.training(*curves(2400, rng))
    xv, yv = pre.serving(*curves(600, rng))
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(20):
        net.train()
        run = []
        for i in torch.randperm(len(x)).split(48):
            opt.zero_grad()
            loss = nn.functional.smooth_l1_loss(net(x[i]).squeeze(1), y[i])
            loss.backward()
            opt.step()
            run.append(loss.item())
        net.eval()
        with torch.no_grad():
            p = net(xv).squeeze(1)
            vl = nn.functional.smooth_l1_loss(p, yv).item()
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1:2d}  train {np.mean(run):.4f}  valid {vl:.4f}")
    print("r2", (1 - (p - yv).pow(2).mean() / yv.var()).item())


if __name__ == "__main__":
    main()
