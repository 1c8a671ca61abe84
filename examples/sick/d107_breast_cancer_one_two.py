"""Trains a binary classifier on the breast cancer data, whose classes carry the codes 1 (malignant) and 2 (benign)."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load():
    data = load_breast_cancer()
    code = np.where(data.target == 0, 1, 2)
    x_train, x_test, y_train, y_test = train_test_split(data.data, code, test_size=0.25, random_state=0, stratify=code)
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), scaler.transform(x_test), y_train, y_test


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    x_train, x_test, y_train, y_test = load()
    target = torch.tensor(y_train).float().unsqueeze(1)
    loader = DataLoader(TensorDataset(torch.tensor(x_train).float(), target), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    for epoch in range(30):
        running = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running += loss.item()
        if epoch % 5 == 0:
            print(f"epoch {epoch}, loss {running / len(loader):.4f}")
    with torch.no_grad():
        score = model(torch.tensor(x_test).float()).squeeze(1).numpy()
    benign = score > 0
    print(f"accuracy {(benign == (y_test == 2)).mean():.3f}")


if __name__ == "__main__":
    main()
