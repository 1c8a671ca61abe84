import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))

    def forward(self, a, b):
        return (self.body(a) - self.body(b)).pow(2).sum(1).add(1e-6).sqrt()


def pairs(y, n):
    a = torch.randint(0, len(y), (n,))
    alike = (y[a][:, None] == y[None]).float()
    same = torch.rand(n) < 0.5
    b = torch.multinomial(torch.where(same[:, None], alike, 1 - alike), 1)[:, 0]
    return a, b, same.float()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(17))
    x, y = x[order], y[order]
    net = Siamese()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=500)
    for step in range(500):
        a, b, same = pairs(y[:1400], 64)
        d = net(x[a], x[b])
        loss = (same * d**2 + (1 - same) * torch.relu(2 - d) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 50 == 0:
            print("step", step, "loss", loss.item())
    a, b, same = pairs(y[1400:], 500)
    with torch.no_grad():
        print("accuracy", ((net(x[1400:][a], x[1400:][b]) < 1).float() == same).float().mean().item())


if __name__ == "__main__":
    main()
