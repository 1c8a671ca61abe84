import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


def network(depth=6, width=64):
    layers, n_in = [], 64
    for _ in range(depth):
        layers += [nn.Linear(n_in, width), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight)
        n_in = width
    return nn.Sequential(*layers, nn.Linear(width, 10))


def schedule(step, total=700):
    return (total - step) / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor((digits.data - 4.9) / 6, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(25))
    x, y = x[order], y[order]
    net = network()
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-2, alpha=0.999)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule)
    for step in range(700):
        rows = torch.randint(0, 1400, (50,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 70 == 0:
            print(f"step {step} loss {loss.item():.4f}")
    with torch.no_grad():
        print("accuracy", (net(x[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
