"""Trains a two-layer digit classifier with plain SGD, batch by batch from a shuffled index."""

import argparse
import random

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

LEARNING_RATE = 0.05
BATCH = 32
EPOCHS = 30


def forward(parameters, x):
    w1, b1, w2, b2 = parameters
    hidden = torch.tanh(x @ w1 + b1)
    return hidden @ w2 + b2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X = torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32)
    y = torch.tensor(y)
    rows = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = rows[:1400], rows[1400:]

    parameters = [
        (torch.randn(64, 40) / 8).requires_grad_(),
        torch.zeros(40, requires_grad=True),
        (torch.randn(40, 10) / 40**0.5).requires_grad_(),
        torch.zeros(10, requires_grad=True),
    ]
    optimizer = torch.optim.SGD(parameters, lr=LEARNING_RATE)
    for epoch in range(EPOCHS):
        losses = []
        for batch in train[torch.randperm(len(train))].split(BATCH):
            optimizer.zero_grad()
            loss = F.cross_entropy(forward(parameters, X[batch]), y[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0 or epoch == EPOCHS - 1:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        accuracy = (forward(parameters, X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
