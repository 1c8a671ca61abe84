"""Trains a digit classifier with momentum SGD and weight decay, from a small table of options."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

OPTIONS = {
    "lr": 0.05,
    "momentum": 0.9,
    "weight_decay": 1e-4,
    "epochs": 15,
    "batch_size": 64,
}


class Classifier(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.first = nn.Linear(64, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.last(torch.relu(self.second(torch.relu(self.first(x)))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X = (X - X.mean()) / X.std()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=2, stratify=y)
    train_set = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
    loader = DataLoader(train_set, OPTIONS["batch_size"], shuffle=True)
    model = Classifier(64)
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=OPTIONS["lr"],
        momentum=OPTIONS["momentum"],
        weight_decay=OPTIONS["weight_decay"],
    )
    for epoch in range(OPTIONS["epochs"]):
        losses = []
        for images, labels in loader:
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}: loss {np.mean(losses):.4f}")
    with torch.no_grad():
        guesses = model(torch.tensor(X_test).float()).argmax(dim=1).numpy()
    print(f"accuracy {(guesses == y_test).mean():.3f}")


if __name__ == "__main__":
    main()
