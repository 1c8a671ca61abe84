import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn


class Mixup:
    def __init__(self, alpha, classes):
        self.beta = torch.distributions.Beta(alpha, alpha)
        self.classes = classes

    def __call__(self, x, y):
        lam, j = self.beta.sample(), torch.randperm(len(x))
        t = nn.functional.one_hot(y, self.classes).float()
        return lam * x + (1 - lam) * x[j], lam * t + (1 - lam) * t[j]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--epochs", type=int, default=16)
    a = ap.parse_args()
    torch.manual_seed(a.seed)
    d = load_digits()
    x, y = torch.tensor(d.data / 8 - 0.6, dtype=torch.float32), torch.tensor(d.target)
    p = torch.randperm(len(x))
    tr, te = p[:1344], p[1344:]
    net = nn.Sequential(nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 10))
    swa = AveragedModel(net)
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    sched = SWALR(opt, swa_lr=0.05, anneal_epochs=4)
    mix, crit = Mixup(0.4, 10), nn.CrossEntropyLoss(label_smoothing=0.1)
    for ep in range(a.epochs):
        net.train()
        for i in tr[torch.randperm(len(tr))].split(32):
            xb, t = mix(x[i], y[i])
            opt.zero_grad()
            loss = crit(net(xb), t)
            loss.backward()
            opt.step()
        if ep >= 8:
            swa.update_parameters(net)
            sched.step()
        if ep % 3 == 0:
            print(f"epoch {ep} loss {loss.item():.4f}")
    update_bn(x[tr].split(64), swa)
    swa.eval()
    with torch.no_grad():
        print(f"accuracy {(swa(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")


main()
