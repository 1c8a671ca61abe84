"""Filters learned on even digits serve to tell the odd ones apart."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


def fit(body, head, x, y, parameters, epochs):
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(32):
            loss = nn.functional.cross_entropy(head(body(x[rows])), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 4 == 0:
            print("epoch", epoch, "loss", round(loss.item(), 4))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]
    y = torch.tensor(digits.target)
    body = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 24, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    even = y % 2 == 0
    first_head = nn.Linear(96, 5)
    fit(body, first_head, x[even], y[even] // 2, [*body.parameters(), *first_head.parameters()], 8)
    body.requires_grad_(False)
    x, y = x[~even], y[~even] // 2
    new_head = nn.Linear(96, 5)
    fit(body, new_head, x[:700], y[:700], new_head.parameters(), 16)
    with torch.no_grad():
        print("accuracy", (new_head(body(x[700:])).argmax(1) == y[700:]).float().mean().item())


if __name__ == "__main__":
    main()
