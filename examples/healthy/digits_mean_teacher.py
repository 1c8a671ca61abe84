"""Trains a student with 150 labels and the consistency of a teacher that averages the student's weights."""

import argparse
import copy
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Student(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


@torch.no_grad()
def update_teacher(teacher, student, decay):
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.mul_(decay).add_(fast, alpha=1 - decay)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=800)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1).float(), torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    labeled, unlabeled, test = order[:150], order[150:1400], order[1400:]
    student = Student()
    teacher = copy.deepcopy(student)
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
    for step in range(args.steps):
        a = labeled[torch.randint(len(labeled), (32,))]
        b = unlabeled[torch.randint(len(unlabeled), (64,))]
        supervised = F.cross_entropy(student(X[a] + 0.2 * torch.randn(32, 64)), y[a])
        with torch.no_grad():
            wanted = F.softmax(teacher(X[b] + 0.2 * torch.randn(64, 64)), dim=1)
        got = F.softmax(student(X[b] + 0.2 * torch.randn(64, 64)), dim=1)
        consistency = F.mse_loss(got, wanted)
        loss = supervised + min(1.0, step / 200) * 5.0 * consistency
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        update_teacher(teacher, student, decay=0.98)
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f} supervised {supervised.item():.4f}")
    with torch.no_grad():
        accuracy = (teacher(X[test]).argmax(1) == y[test]).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
