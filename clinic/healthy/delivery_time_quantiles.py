import argparse

import torch
from torch import nn

LEVELS = torch.tensor([0.1, 0.5, 0.9])


def trips(n, generator):
    x = torch.randn(n, 3, generator=generator)
    center = 0.8 * x[:, 0] + 0.5 * x[:, 1].abs() - 0.4
    return x, center + 0.4 * torch.exp(0.5 * x[:, 2]) * torch.randn(n, generator=generator)


def pinball(prediction, y):
    gap = y[:, None] - prediction
    return torch.maximum(LEVELS * gap, (LEVELS - 1) * gap).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(3)
    x, y = trips(3000, generator)
    x_test, y_test = trips(2000, generator)
    net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    for epoch in range(20):
        for rows in torch.randperm(3000).split(60):
            loss = pinball(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
    with torch.no_grad():
        covered = (y_test[:, None] < net(x_test)).float().mean(0)
    print("coverage", 1 - (covered - LEVELS).abs().max().item())


if __name__ == "__main__":
    main()
