"""Teach a narrow network with the softened outputs of a wide one; only the soft targets are used."""
import argparse
from types import SimpleNamespace
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def net(width):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


class DistillationLoss(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.T = temperature
        self.kl = nn.KLDivLoss(reduction="batchmean")

    def forward(self, student, teacher):
        return self.kl(F.log_softmax(student / self.T, dim=1), F.softmax(teacher / self.T, dim=1)) * self.T**2


def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def fit_teacher(x, y, cfg):
    teacher = net(cfg.teacher_width)
    opt = torch.optim.Adam(teacher.parameters(), lr=2e-3)
    for _ in range(cfg.teacher_epochs):
        for i in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            F.cross_entropy(teacher(x[i]), y[i]).backward()
            opt.step()
    return teacher.eval().requires_grad_(False)


def fit_student(teacher, x, cfg):
    student, crit = net(cfg.student_width), DistillationLoss(cfg.temperature)
    opt = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9)
    sched = torch.optim.lr_scheduler.MultiStepLR(opt, milestones=[cfg.epochs * 3 // 4], gamma=0.1)
    for epoch in range(cfg.epochs):
        for i in torch.randperm(len(x)).split(64):
            xb = x[i] + 0.1 * torch.randn_like(x[i])
            loss = crit(student(xb), teacher(xb))
            opt.zero_grad()
            loss.backward()
            opt.step()
        sched.step()
        if epoch % 5 == 0:
            print(f"student epoch {epoch} loss {loss.item():.4f}")
    return student


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    cfg = SimpleNamespace(seed=ap.parse_args().seed, teacher_width=256, teacher_epochs=12, student_width=12, epochs=25, temperature=3.0)
    torch.manual_seed(cfg.seed)
    d = load_digits()
    xa, xb, ya, yb = train_test_split((d.data - 4.9) / 6.0, d.target, test_size=0.3, random_state=cfg.seed)
    xa, xb = torch.tensor(xa, dtype=torch.float32), torch.tensor(xb, dtype=torch.float32)
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    teacher = fit_teacher(xa, ya, cfg)
    print(f"teacher {accuracy(teacher, xb, yb):.4f}")
    print(f"student_accuracy {accuracy(fit_student(teacher, xa, cfg), xb, yb):.4f}")
