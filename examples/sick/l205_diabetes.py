"""Trains a regression of diabetes progression with a three-layer network, standardized inputs and target."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_data():
    X, y = load_diabetes(return_X_y=True)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.2, random_state=3)
    x_scaler, y_scaler = StandardScaler(), StandardScaler()
    X_train, X_val = x_scaler.fit_transform(X_train), x_scaler.transform(X_val)
    y_train = y_scaler.fit_transform(y_train.reshape(-1, 1)).ravel()
    y_val = y_scaler.transform(y_val.reshape(-1, 1)).ravel()
    tensors = [torch.from_numpy(a.astype(np.float32)) for a in (X_train, y_train, X_val, y_val)]
    return tensors


def train(model, loader, optimizer, criterion):
    model.train()
    total = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        prediction = model(xb)
        loss = criterion(prediction, yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def r2_score(model, x, y):
    model.eval()
    with torch.no_grad():
        prediction = model(x).squeeze(1)
    return 1.0 - ((prediction - y) ** 2).sum().item() / ((y - y.mean()) ** 2).sum().item()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    X_train, y_train, X_val, y_val = get_data()
    loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    criterion = nn.MSELoss()
    for epoch in range(40):
        loss = train(model, loader, optimizer, criterion)
        if epoch % 5 == 0:
            print(f"epoch {epoch:3d}: loss {loss:.4f}  val r2 {r2_score(model, X_val, y_val):.3f}")
    print(f"r2 {r2_score(model, X_val, y_val):.3f}")
