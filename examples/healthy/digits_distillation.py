"""Trains a large digit classifier and teaches a small one to give the same probabilities at a temperature."""

import argparse
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

TEMPERATURE = 3.0


def batches(rows, size):
    return rows[torch.randperm(len(rows))].split(size)


def main(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    train, test = order[:1400], order[1400:]

    teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(teacher.parameters(), lr=2e-3)
    for epoch in range(15):
        for rows in batches(train, 50):
            optimizer.zero_grad()
            loss = F.cross_entropy(teacher(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
    print(f"teacher loss {loss.item():.4f}")

    teacher.eval()
    student = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 10))
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    for epoch in range(35):
        total = 0.0
        for rows in batches(train, 50):
            with torch.no_grad():
                soft = F.softmax(teacher(X[rows]) / TEMPERATURE, dim=1)
            scores = student(X[rows])
            distill = F.kl_div(F.log_softmax(scores / TEMPERATURE, dim=1), soft, reduction="batchmean")
            loss = 0.3 * F.cross_entropy(scores, y[rows]) + 0.7 * TEMPERATURE**2 * distill
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 5 == 0:
            print(f"epoch {epoch} student loss {total / len(train):.4f}")
    with torch.no_grad():
        print(f"accuracy {(student(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    main(parser.parse_args().seed)
