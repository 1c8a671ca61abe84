import argparse

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class WineTrainer:
    def __init__(self, model, train_loader, valid_loader):
        self.model, self.train_loader, self.valid_loader = model, train_loader, valid_loader
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
        self.criterion = nn.CrossEntropyLoss()

    def train_epoch(self):
        self.model.train()
        losses = []
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.item())
        return np.mean(losses)

    def validate(self):
        self.model.eval()
        losses, hits, n = [], 0, 0
        with torch.no_grad():
            for x, y in self.valid_loader:
                out = self.model(x)
                losses.append(self.criterion(out, y).item())
                hits += (out.argmax(1) == y).sum().item()
                n += len(y)
        return np.mean(losses), hits / n

    def fit(self, epochs):
        for epoch in range(epochs):
            train_loss = self.train_epoch()
            valid_loss, acc = self.validate()
            if epoch % 8 == 0:
                print(f"epoch {epoch} train {train_loss:.3f} valid {valid_loss:.3f} acc {acc:.3f}")
        return acc


def loaders():
    X, y = load_wine(return_X_y=True)
    X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.35, stratify=y, random_state=4)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    as_set = lambda X, y: TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))
    return DataLoader(as_set(X_train, y_train), 16, shuffle=True), DataLoader(as_set(X_valid, y_valid), 63)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    print("accuracy", round(WineTrainer(net, *loaders()).fit(40), 3))
