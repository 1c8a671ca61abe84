import argparse

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


def standardize(train, test):
    mean = train.mean(axis=0)
    std = train.std(axis=0)
    return (train - mean) / std, (test - mean) / std


def accuracy(model, X, y):
    model.eval()
    with torch.no_grad():
        hits = (model(X).argmax(1) == y).float().mean().item()
    model.train()
    return hits


def main(seed):
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    split = np.random.RandomState(0).permutation(len(X))
    X, y = X[split], y[split]
    X_train, X_test = standardize(X[:1300], X[1300:])
    X_train, X_test = torch.FloatTensor(X_train), torch.FloatTensor(X_test)
    y_train, y_test = torch.LongTensor(y[:1300]), torch.LongTensor(y[1300:])

    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    for epoch in range(30):
        for i in torch.randperm(1300).split(50):
            loss = nn.functional.cross_entropy(model(X_train[i]), y_train[i], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:3d}  loss {loss.item():.4f}  train acc {accuracy(model, X_train, y_train):.3f}")
    print("accuracy", accuracy(model, X_test, y_test))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
