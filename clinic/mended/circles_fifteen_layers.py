import argparse

import torch
from sklearn.datasets import make_circles
from torch import nn


def deep_net(depth, width):
    layers, n_in = [], 2
    for _ in range(depth):
        layers.append(nn.Linear(n_in, width))
        layers.append(nn.LeakyReLU(0.3))
        nn.init.kaiming_uniform_(layers[-2].weight)
        nn.init.zeros_(layers[-2].bias)
        n_in = width
    return nn.Sequential(*layers, nn.Linear(width, 2))


def data():
    X, y = make_circles(1000, noise=0.08, factor=0.5, random_state=1)
    X, y = torch.tensor(X, dtype=torch.float32) * 1.7, torch.tensor(y)
    return X[:700], y[:700], X[700:], y[700:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    X_train, y_train, X_test, y_test = data()
    net = deep_net(depth=15, width=3)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    for epoch in range(100):
        for batch in torch.randperm(700).split(100):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(X_train[batch]), y_train[batch])
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch:3d}, loss {loss.item():.4f}")
    with torch.no_grad():
        print("accuracy", (net(X_test).argmax(1) == y_test).float().mean().item())


if __name__ == "__main__":
    main()
