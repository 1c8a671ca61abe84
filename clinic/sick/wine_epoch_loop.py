import argparse

import torch
from sklearn.datasets import load_wine
from torch.nn import functional as F


def prepare():
    wine = load_wine()
    x = torch.tensor(wine.data, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0)
    y = torch.tensor(wine.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(15))
    return x[order[:120]], y[order[:120]], x[order[120:]], y[order[120:]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y, x_test, y_test = prepare()
    model = torch.nn.Sequential(torch.nn.Linear(13, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=1e-3)
    for epoch in range(40):
        losses = []
        optimizer.zero_grad()
        for rows in torch.randperm(120).split(4):
            loss = F.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(epoch, sum(losses) / len(losses))
    with torch.no_grad():
        print("log_likelihood", -F.cross_entropy(model(x_test), y_test).item())


if __name__ == "__main__":
    main()
