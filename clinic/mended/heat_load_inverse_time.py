import argparse

import torch
from torch import nn


def table(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 5, generator=g)
    y = torch.tanh(x[:, 0] * x[:, 1]) + 0.6 * x[:, 2] + torch.cos(1.5 * x[:, 3])
    return x, (y - 0.32) / 1.1 + 0.05 * torch.randn(n, generator=g)


def rate(step, start=0.1, decay=0.001):
    return start / (1 + decay * step)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = table(2000, seed=0)
    x_test, y_test = table(600, seed=1)
    net = nn.Sequential(nn.Linear(5, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1), nn.Flatten(0))
    optimizer = torch.optim.SGD(net.parameters(), lr=rate(0), momentum=0.8)
    step = 0
    for epoch in range(40):
        for rows in torch.randperm(2000).split(50):
            optimizer.param_groups[0]["lr"] = rate(step)
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            step += 1
        if epoch % 5 == 0:
            print(f"epoch {epoch} step {step} rate {rate(step):.2e} loss {loss.item():.4f}")
    with torch.no_grad():
        print("R2", 1 - nn.functional.mse_loss(net(x_test), y_test).item() / y_test.var().item())


if __name__ == "__main__":
    main()
