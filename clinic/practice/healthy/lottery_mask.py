"""Random supermasks, Zhou et al. style: 80 % of the weights are fixed at zero and the first layer is never trained."""
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class MaskedLinear(nn.Linear):
    def __init__(self, i, o, density):
        super().__init__(i, o)
        self.register_buffer("mask", (torch.rand(o, i) < density).float())
        with torch.no_grad():
            self.weight.div_(density ** 0.5)

    def forward(self, x):
        return F.linear(x, self.weight * self.mask, self.bias)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--density", type=float, default=0.2)
    p.add_argument("--epochs", type=int, default=25)
    p.add_argument("--lr", type=float, default=6e-3)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor((x - x.mean()) / x.std(), dtype=torch.float32), torch.tensor(y)
    perm = torch.randperm(len(y))
    tr, te = perm[:1350], perm[1350:]
    net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), MaskedLinear(256, 128, a.density), nn.ReLU(),
                        MaskedLinear(128, 10, a.density))
    for q in net[0].parameters():
        q.requires_grad_(False)
    opt = torch.optim.Adam((q for q in net.parameters() if q.requires_grad), lr=a.lr)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, a.epochs)
    for epoch in range(a.epochs):
        s = 0.0
        for idx in tr[torch.randperm(len(tr))].split(50):
            loss = F.cross_entropy(net(x[idx]), y[idx], label_smoothing=0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
            s += loss.item() * len(idx) / len(tr)
        sched.step()
        if epoch % 5 == 0:
            print(epoch, round(s, 4))
    with torch.no_grad():
        print(f"accuracy {(net(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")


main()
