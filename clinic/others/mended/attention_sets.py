import argparse
import math
import torch
import torch.nn as nn


class AttentionPool(nn.Module):
    """One learned query looks over the elements of each set."""

    def __init__(self, d):
        super().__init__()
        self.key, self.value = nn.Linear(d, d), nn.Linear(d, d)
        self.query = nn.Parameter(torch.randn(d) / math.sqrt(d))

    def forward(self, h):
        score = self.key(h) @ self.query / math.sqrt(h.size(-1))
        weight = torch.softmax(score, dim=1)
        return (weight.unsqueeze(-1) * self.value(h)).sum(1)


class SetNet(nn.Module):
    def __init__(self, d_in=6, d=48, classes=5):
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(d_in, d), nn.ReLU(), nn.Linear(d, d))
        self.pool = AttentionPool(d)
        self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, classes))

    def forward(self, s):
        return self.head(self.pool(self.embed(s)))


def draw(n, size=16, d=5, noise=0.3):
    """The label is the argmax over the features of the one element whose flag is set; the others are distractors."""
    x = torch.randn(n, size, d)
    who = torch.randint(size, (n,))
    flag = noise * torch.randn(n, size)
    flag[torch.arange(n), who] += 3.0
    return torch.cat([x, flag.unsqueeze(-1)], -1), x[torch.arange(n), who].argmax(1)


@torch.no_grad()
def predict(net, elements):
    return net(elements.unsqueeze(0)).argmax(1).item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--steps", type=int, default=700)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    net = SetNet()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.1, a.steps)
    for i in range(a.steps):
        x, y = draw(64)
        loss = nn.functional.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if i % 100 == 0:
            print(f"{i} {loss.item():.4f}")
    hits = [predict(net, s) == t for s, t in zip(*(v.unbind() for v in draw(500)))]
    print(f"accuracy {sum(hits) / len(hits):.4f}")


main()
