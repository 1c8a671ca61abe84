import argparse
import torch
from torch import nn


class MeanAndSpread(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU())
        self.mean = nn.Linear(32, 1)
        self.log_std = nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.mean(h), self.log_std(h)


def nll(mean, log_std, y):
    return (log_std + 0.5 * ((y - mean) / log_std.exp()) ** 2).mean()


def draw(n):
    x = torch.rand(n, 3) * 2 - 1
    std = 0.03 + 0.12 * (x[:, :1] > 0) * x[:, :1]
    return x, torch.sin(2 * x[:, 1:2]) * x[:, 2:] + std * torch.randn(n, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = draw(3000)
    xt, yt = draw(600)
    model = MeanAndSpread()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 25)
    for epoch in range(25):
        for idx in torch.randperm(len(x)).split(60):
            optimizer.zero_grad()
            loss = nll(*model(x[idx]), y[idx])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, "nll", round(loss.item(), 3))
    with torch.no_grad():
        print("negative_nll %.4f" % -nll(*model(xt), yt).item())
