import argparse

import torch
from torch import nn


def readings(n, generator):
    x = torch.randn(n, 4, generator=generator)
    clean = x[:, 0] - 0.5 * x[:, 1] * x[:, 2] + torch.sin(x[:, 3])
    y = clean + 0.1 * torch.randn(n, generator=generator)
    wild = torch.rand(n, generator=generator) < 0.05
    return x, torch.where(wild, 12 * torch.randn(n, generator=generator), y), clean


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(5)
    x, y, _ = readings(3000, generator)
    x_test, _, clean = readings(1000, generator)
    net = nn.Sequential(nn.Linear(4, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    criterion = nn.HuberLoss(delta=0.5)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    for epoch in range(20):
        for rows in torch.randperm(3000).split(50):
            loss = criterion(net(x[rows]).squeeze(1), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 4 == 0:
            print(epoch, loss.item())
    with torch.no_grad():
        print("R2", 1 - ((net(x_test).squeeze(1) - clean).pow(2).mean() / clean.var()).item())


if __name__ == "__main__":
    main()
