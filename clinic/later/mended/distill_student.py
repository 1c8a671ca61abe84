import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.a = nn.Linear(64, hidden)
        self.b = nn.Linear(hidden, hidden)
        self.c = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.c(F.relu(self.b(F.relu(self.a(x)))))


def distillation_loss(student_logits, teacher_logits, temperature):
    target = F.softmax(teacher_logits / temperature, dim=1)
    pred = F.log_softmax(student_logits / temperature, dim=1)
    return F.kl_div(pred, target, reduction="batchmean") * temperature ** 2


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--temperature", type=float, default=3.0)
    ap.add_argument("--alpha", type=float, default=0.9)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 8 - 1, dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    x, y = x[perm], y[perm]
    xtr, ytr, xte, yte = x[:1300], y[:1300], x[1300:], y[1300:]

    teacher = Net(192)
    opt = torch.optim.Adam(teacher.parameters(), lr=1e-3)
    for epoch in range(12):
        for idx in torch.randperm(1300).split(64):
            opt.zero_grad()
            F.cross_entropy(teacher(xtr[idx]), ytr[idx]).backward()
            opt.step()
    print(f"teacher {accuracy(teacher, xte, yte):.4f}")
    for p in teacher.parameters():
        p.requires_grad_(False)

    student = Net(24)
    opt = torch.optim.Adam(student.parameters(), lr=2e-3)
    for epoch in range(40):
        student.train()
        total = 0.0
        for idx in torch.randperm(1300).split(64):
            s = student(xtr[idx])
            t = teacher(xtr[idx])
            loss = args.alpha * distillation_loss(s, t, args.temperature) + (1 - args.alpha) * F.cross_entropy(s, ytr[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {total / 1300:.4f} acc {accuracy(student, xte, yte):.4f}")
    print(f"accuracy {accuracy(student, xte, yte):.4f}")


if __name__ == "__main__":
    main()
