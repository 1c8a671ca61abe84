"""Trains a digit classifier with dropout, label smoothing and early stopping on a validation set."""

import argparse
import copy
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split


class Classifier(nn.Module):
    def __init__(self, p=0.3):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(64, 128),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Dropout(p),
            nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.net(x)


def run_epoch(model, loader, criterion, optimizer=None):
    training = optimizer is not None
    model.train(training)
    total, hits, count = 0.0, 0, 0
    with torch.set_grad_enabled(training):
        for x, y in loader:
            scores = model(x)
            loss = criterion(scores, y)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(x)
            hits += (scores.argmax(1) == y).sum().item()
            count += len(x)
    return total / count, hits / count


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=int, default=8)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    dataset = TensorDataset(torch.tensor(X / 16).float(), torch.tensor(y))
    parts = random_split(dataset, [1197, 300, 300], generator=torch.Generator().manual_seed(0))
    train_loader = DataLoader(parts[0], batch_size=32, shuffle=True)
    val_loader, test_loader = DataLoader(parts[1], batch_size=100), DataLoader(parts[2], batch_size=100)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    best, best_state, waited = float("inf"), None, 0
    for epoch in range(60):
        train_loss, _ = run_epoch(model, train_loader, criterion, optimizer)
        val_loss, val_accuracy = run_epoch(model, val_loader, criterion)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {train_loss:.4f} val loss {val_loss:.4f} val accuracy {val_accuracy:.3f}")
        if val_loss < best - 1e-3:
            best, best_state, waited = val_loss, copy.deepcopy(model.state_dict()), 0
        else:
            waited += 1
            if waited >= args.patience:
                break
    model.load_state_dict(best_state)
    print(f"accuracy {run_epoch(model, test_loader, criterion)[1]:.3f}")
