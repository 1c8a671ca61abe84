import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


def outline(species, n):
    phi = torch.linspace(0, 2 * math.pi, 65)[:-1]
    lobes = 2 + species % 4
    depth = 0.15 + 0.2 * (species // 4)
    turn = 2 * math.pi * torch.rand(n, 1)
    r = 1 + depth * torch.cos(lobes * phi + turn) + 0.08 * torch.randn(n, 64)
    return r - r.mean(1, keepdim=True)


class LeafNet(nn.Module):
    def __init__(self, classes=8):
        super().__init__()
        self.c1 = nn.Conv1d(1, 12, 9, padding=4, padding_mode="circular")
        self.c2 = nn.Conv1d(12, 24, 9, stride=2, padding=4, padding_mode="circular")
        self.fc = nn.Linear(48, classes)

    def forward(self, r):
        h = F.relu(self.c1(4 * r.unsqueeze(1)))
        h = F.relu(self.c2(h))
        h = torch.cat([h.amax(2), h.mean(2)], 1)
        return F.log_softmax(self.fc(h), dim=0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    torch.manual_seed(args.seed)

    r = torch.cat([outline(s, 250) for s in range(8)])
    y = torch.arange(8).repeat_interleave(250)
    perm = torch.randperm(2000)
    r, y = r[perm], y[perm]
    net = LeafNet()
    opt = torch.optim.Adagrad(net.parameters(), lr=0.03)
    for epoch in range(args.epochs):
        total = 0.0
        for i in torch.randperm(1600).view(-1, 20):
            opt.zero_grad()
            loss = F.nll_loss(net(r[i]), y[i])
            loss.backward()
            opt.step()
            total += loss.item()
        print("epoch", epoch, "nll", total / 80)
    with torch.no_grad():
        hits = sum((net(r[i:i + 1]).argmax(1) == y[i]).item() for i in range(1600, 2000))
    print("accuracy", hits / 400)


if __name__ == "__main__":
    main()
