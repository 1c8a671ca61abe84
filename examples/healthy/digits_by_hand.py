"""Trains a digit classifier without an optimizer: gradients from torch.autograd.grad, momentum and updates by hand."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits


def initialize(sizes):
    parameters = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        parameters.append((torch.randn(inputs, outputs) * (2 / inputs) ** 0.5).requires_grad_())
        parameters.append(torch.zeros(outputs, requires_grad=True))
    return parameters


def predict(parameters, x):
    for weight, bias in zip(parameters[0:-2:2], parameters[1:-2:2], strict=True):
        x = torch.relu(x @ weight + bias)
    return x @ parameters[-2] + parameters[-1]


def negative_log_likelihood(scores, labels):
    return (torch.logsumexp(scores, dim=1) - scores[torch.arange(len(labels)), labels]).mean()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor((X - X.mean()) / X.std()).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]
    parameters = initialize([64, 48, 10])
    velocity = [torch.zeros_like(p) for p in parameters]
    lr, momentum = 0.02, 0.9
    for epoch in range(20):
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(35):
            loss = negative_log_likelihood(predict(parameters, X[rows]), y[rows])
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                for p, v, g in zip(parameters, velocity, gradients, strict=True):
                    v.mul_(momentum).add_(g)
                    p -= lr * v
            total += loss.item() * len(rows)
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f}")
    with torch.no_grad():
        accuracy = (predict(parameters, X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
