"""Hinton-style knowledge distillation on the sklearn digits."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--T", type=float, default=3.0)
parser.add_argument("--alpha", type=float, default=0.7)
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--epochs", type=int, default=25)
opt = parser.parse_args()
torch.manual_seed(opt.seed)

X, y = load_digits(return_X_y=True)
X = (X - X.mean()) / X.std()
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=opt.seed, stratify=y)
train = TensorDataset(torch.tensor(Xtr, dtype=torch.float32), torch.tensor(ytr))
Xte, yte = torch.tensor(Xte, dtype=torch.float32), torch.tensor(yte)


def mlp(width):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))


def accuracy(net):
    net.eval()
    with torch.no_grad():
        return (net(Xte).argmax(1) == yte).float().mean().item()


def fit_teacher(net, epochs=12):
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(epochs):
        net.train()
        for xb, yb in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(net(xb), yb).backward()
            optimizer.step()
    print(f"teacher {accuracy(net):.4f}")
    for p in net.parameters():
        p.requires_grad_(False)
    return net


def kd_loss(student_logits, teacher_logits, target):
    soft = F.kl_div(F.log_softmax(student_logits / opt.T, 1), F.softmax(teacher_logits / opt.T, 1),
                    reduction="batchmean") * opt.T ** 2
    return opt.alpha * soft + (1 - opt.alpha) * F.cross_entropy(student_logits, target)


teacher = fit_teacher(mlp(128))
student = mlp(12)
optimizer = torch.optim.SGD(student.parameters(), lr=opt.lr, momentum=0.9)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
for epoch in range(opt.epochs):
    student.train()
    running = 0.0
    for xb, yb in DataLoader(train, batch_size=32, shuffle=True):
        loss = kd_loss(student(xb), teacher(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    scheduler.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch} kd {running / len(train):.4f} test {accuracy(student):.4f}")
print(f"accuracy {accuracy(student):.4f}")
