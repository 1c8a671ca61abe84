import argparse
import torch
import torch.nn as nn


def network(n_in, n_out, width=32, depth=7):
    layers = []
    for k in range(depth):
        layers.append(nn.Linear(n_in if k == 0 else width, width))
        layers.append(nn.BatchNorm1d(width))
        layers.append(nn.Sigmoid())
    layers.append(nn.Linear(width, n_out))
    return nn.Sequential(*layers)


def score(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def fit(net, x, y, x_val, y_val, epochs, lr):
    opt = torch.optim.Adam(net.parameters(), lr=lr)
    ce = nn.CrossEntropyLoss()
    print("before", score(net, x_val, y_val))
    for epoch in range(epochs):
        mean = 0.0
        parts = torch.randperm(len(x)).split(50)
        for i in parts:
            opt.zero_grad()
            loss = ce(net(x[i]), y[i])
            loss.backward()
            opt.step()
            mean += loss.item() / len(parts)
        print(f"epoch {epoch:2d} loss {mean:.4f} val {score(net, x_val, y_val):.4f}")
    return net


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    kinds = torch.randint(0, 6, (2500,))
    x = 0.9 * torch.randn(6, 14)[kinds] + 0.8 * torch.randn(2500, 14)
    x = (x - x.mean(0)) / x.std(0)
    net = fit(network(14, 6), x[:2000], kinds[:2000], x[2000:], kinds[2000:], epochs=12, lr=1e-3)
    print("accuracy", score(net, x[2000:], kinds[2000:]))
