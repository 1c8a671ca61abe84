import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


def train(model, x, targets, loss_of, epochs, lr):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        for rows in torch.randperm(len(x)).split(50):
            loss = loss_of(model(x[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
    print("last loss", loss.item())


def soft_loss(scores, teacher_scores, T=3.0):
    return T * T * F.kl_div((scores / T).log_softmax(1), (teacher_scores / T).softmax(1), reduction="batchmean")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x, y = torch.tensor(digits.data / 16, dtype=torch.float32), torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(13))
    x, y = x[order], y[order]
    teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    train(teacher, x[:1400], y[:1400], F.cross_entropy, epochs=15, lr=3e-3)
    teacher.eval()
    with torch.no_grad():
        answers = teacher(x[:1400])
    student = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
    train(student, x[:1400], answers, soft_loss, epochs=25, lr=5e-3)
    with torch.no_grad():
        print("accuracy", (student(x[1400:]).argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
