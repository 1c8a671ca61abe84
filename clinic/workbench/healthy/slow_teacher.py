import argparse
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32) / 8 - .6
y = torch.tensor(d.target)
p = torch.randperm(len(x))
x, y = x[p], y[p]
lab, unl, test = slice(0, 600), slice(0, 1400), slice(1400, None)

student = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
teacher = copy.deepcopy(student)
for w in teacher.parameters():
    w.requires_grad_(False)
opt = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)


def noisy(v):
    return v + .3 * torch.randn_like(v)


steps = 700
for step in range(steps):
    for g in opt.param_groups:
        g['lr'] = 0.05 * (1 - step / steps)
    i = torch.randint(0, 600, (50,))
    j = torch.randint(0, 1400, (50,))
    ce = F.cross_entropy(student(noisy(x[lab][i])), y[lab][i])
    with torch.no_grad():
        soft = teacher(noisy(x[unl][j])).softmax(1)
    agree = F.mse_loss(student(noisy(x[unl][j])).softmax(1), soft)
    loss = ce + min(1.0, step / 300) * 3 * agree
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for a, b in zip(teacher.parameters(), student.parameters()):
            a.mul_(.99).add_(b, alpha=.01)
    if step % 100 == 99:
        print(step + 1, ce.item(), agree.item())
with torch.no_grad():
    acc = (teacher(x[test]).argmax(1) == y[test]).float().mean().item()
print('accuracy', acc)
