import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split


def get_data():
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X * 21, (y - 152) / 77, random_state=1)
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    return to(X_train), to(X_test), to(y_train).view(-1, 1), to(y_test).view(-1, 1)


def build(width=12):
    return torch.nn.Sequential(
        torch.nn.Linear(10, width),
        torch.nn.Tanh(),
        torch.nn.Linear(width, 1),
        torch.nn.Flatten(start_dim=0),
    )


def fit(net, X, y, epochs, batch=30):
    optimizer = torch.optim.NAdam(net.parameters(), lr=3e-3, weight_decay=1e-2)
    for epoch in range(epochs):
        for index in torch.split(torch.randperm(len(X)), batch):
            optimizer.zero_grad()
            loss = F.smooth_l1_loss(net(X[index]), y[index])
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print("epoch", epoch, "loss %.4f" % loss.item())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    X_train, X_test, y_train, y_test = get_data()
    net = build()
    fit(net, X_train, y_train, epochs=60)
    with torch.no_grad():
        residual = net(X_test) - y_test.flatten()
    print("R2", 1 - (residual.var() / y_test.var()).item())


if __name__ == "__main__":
    main()
