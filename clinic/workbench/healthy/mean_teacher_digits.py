"""Semi-supervised digits with a mean teacher; micro-batches are accumulated before each step."""
import argparse
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


def make_net():
    return nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10))


def jitter(x):
    return x + 0.15 * torch.randn_like(x)


@torch.no_grad()
def move_teacher(teacher, student, decay):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=800)
    ap.add_argument("--accumulate", type=int, default=3)
    ap.add_argument("--decay", type=float, default=0.97)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    d = load_digits()
    order = torch.randperm(1797)
    x = torch.tensor(d.data, dtype=torch.float32)[order] / 16
    y = torch.tensor(d.target)[order]
    labelled, unlabelled, test = slice(0, 500), slice(500, 1300), slice(1300, 1797)
    xl, yl, xu = x[labelled], y[labelled], x[unlabelled]
    student = make_net()
    teacher = copy.deepcopy(student)
    for p in teacher.parameters():
        p.requires_grad_(False)
    teacher.eval()
    opt = torch.optim.Adam(student.parameters(), lr=2e-3)
    for step in range(1, args.steps + 1):
        opt.zero_grad()
        shown = 0.0
        for _ in range(args.accumulate):
            i = torch.randint(0, len(xl), (16,))
            j = torch.randint(0, len(xu), (16,))
            with torch.no_grad():
                guess = teacher(xu[j]).softmax(1)
            loss = F.cross_entropy(student(jitter(xl[i])), yl[i])
            loss = loss + 0.5 * (student(jitter(xu[j])).softmax(1) - guess).pow(2).sum(1).mean()
            (loss / args.accumulate).backward()
            shown += loss.item() / args.accumulate
        opt.step()
        move_teacher(teacher, student, args.decay)
        if step % 100 == 0:
            with torch.no_grad():
                acc = (teacher(x[test]).argmax(1) == y[test]).float().mean().item()
            print(f"step {step} loss {shown:.4f} teacher acc {acc:.3f}")
    print(f"accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
