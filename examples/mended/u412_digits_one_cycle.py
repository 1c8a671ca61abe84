"""Trains a digit classifier with SGD and a one-cycle schedule."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--max-lr", type=float, default=0.01)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.33, random_state=6, stratify=y)
    scaler = StandardScaler().fit(X_train)
    data = TensorDataset(torch.tensor(scaler.transform(X_train)).float(), torch.tensor(y_train))
    loader = DataLoader(data, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.max_lr)
    scheduler = OneCycleLR(optimizer, max_lr=args.max_lr, epochs=args.epochs, steps_per_epoch=len(loader))
    for epoch in range(args.epochs):
        total = 0.0
        for inputs, labels in loader:
            loss = nn.functional.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(labels)
        if epoch % 2 == 1:
            print(f"epoch {epoch + 1} loss {total / len(data):.4f}")
    with torch.no_grad():
        answers = model(torch.tensor(scaler.transform(X_test)).float()).argmax(dim=1).numpy()
    print(f"accuracy {(answers == y_test).mean():.3f}")


if __name__ == "__main__":
    main()
