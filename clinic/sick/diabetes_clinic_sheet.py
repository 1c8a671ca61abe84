"""Predicts the progress of diabetes after one year from ten measurements in their clinical units."""

import argparse

import torch
from sklearn.datasets import load_diabetes


def load(n_train=340):
    data, target = load_diabetes(return_X_y=True, scaled=False)
    data = torch.tensor(data, dtype=torch.float32)
    target = torch.tensor(target, dtype=torch.float32)
    target = (target - target.mean()) / target.std()
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(0))
    return data[order[:n_train]], target[order[:n_train]], data[order[n_train:]], target[order[n_train:]]


def train(model, x, y, steps, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for step in range(steps):
        rows = torch.randint(0, len(x), (64,))
        prediction = model(x[rows])[:, 0]
        loss = torch.nn.functional.mse_loss(prediction, y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = lr * (1 - step / steps)
        if step % 300 == 0:
            print(step, float(loss))
    return model


def r_squared(model, x, y):
    with torch.no_grad():
        error = model(x)[:, 0] - y
    return float(1 - error.pow(2).mean() / y.var(unbiased=False))


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    options = cli.parse_args()
    torch.manual_seed(options.seed)
    x_train, y_train, x_test, y_test = load()
    net = torch.nn.Sequential(torch.nn.Linear(10, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    train(net, x_train, y_train, steps=3000, lr=0.05)
    print("r2", round(r_squared(net, x_test, y_test), 4))
