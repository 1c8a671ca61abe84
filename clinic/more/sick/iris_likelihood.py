import argparse

import torch
from sklearn.datasets import load_iris
from torch import nn


def standardize(x):
    return (x - x.mean(dim=0)) / x.std(dim=0)


def log_likelihood(log_p, y):
    return log_p.gather(1, y[:, None]).mean()


class Softmax(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(4, 20)
        self.out = nn.Linear(20, 3)

    def forward(self, x):
        return torch.log_softmax(self.out(torch.tanh(self.hidden(x))), dim=1)


def train(net, x, y, epochs=150, size=15):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    for epoch in range(epochs):
        for idx in torch.randperm(len(x)).split(size):
            loss = log_likelihood(net(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 25 == 0:
            print(f"epoch {epoch:3d}  loss {loss.item():.4f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    iris = load_iris()
    x = standardize(torch.tensor(iris.data, dtype=torch.float32))
    y = torch.tensor(iris.target)
    shuffled = torch.randperm(150)
    fit, check = shuffled[:105], shuffled[105:]
    net = Softmax()
    train(net, x[fit], y[fit])
    with torch.no_grad():
        accuracy = (net(x[check]).argmax(1) == y[check]).float().mean()
    print(f"accuracy {accuracy.item():.3f}")


if __name__ == "__main__":
    main()
