"""Is a digit even, greater than four, prime, round?"""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn

RULES = [lambda d: d % 2 == 0, lambda d: d > 4, lambda d: d in (2, 3, 5, 7), lambda d: d in (0, 6, 8, 9)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor([[float(rule(d)) for rule in RULES] for d in digits.target])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(19))
    x, y = x[order], y[order]
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, len(RULES)))
    criterion = nn.MultiLabelSoftMarginLoss()
    optimizer = torch.optim.RAdam(net.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 25)
    for epoch in range(25):
        for rows in torch.randperm(1400).split(50):
            loss = criterion(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 5 == 0:
            print("epoch", epoch, "loss", loss.item())
    with torch.no_grad():
        print("accuracy", ((net(x[1400:]) > 0).float() == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
