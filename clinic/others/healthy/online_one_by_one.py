"""Examples arrive one at a time; plain SGD with a summed hinge loss, a linear readout on fixed random features, one pass after another."""
import argparse
import torch
from torch import nn
from sklearn.datasets import load_wine


class RandomFeatures(nn.Module):
    def __init__(self, d, m, scale=0.25):
        super().__init__()
        self.register_buffer("w", torch.randn(d, m) * scale)
        self.register_buffer("b", torch.rand(m) * 6.2832)

    def forward(self, x):
        return torch.cos(x @ self.w + self.b)


class HingeSum(nn.Module):
    def forward(self, scores, label):
        margins = (1 + scores - scores.gather(1, label[:, None])).clamp(min=0)
        return margins.sum() - len(label)


def stream(x, y):
    for k in torch.randperm(len(x)).tolist():
        yield x[k : k + 1], y[k : k + 1]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--passes", type=int, default=20)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    x, y = (torch.tensor(v) for v in load_wine(return_X_y=True))
    x = ((x - x.mean(0)) / x.std(0)).float()
    perm = torch.randperm(len(x))
    tr, te = perm[:120], perm[120:]
    model = nn.Sequential(RandomFeatures(13, 200), nn.Linear(200, 3))
    opt = torch.optim.SGD(model.parameters(), lr=0.01)
    crit, n = HingeSum(), 0
    for k in range(a.passes):
        total = 0.0
        for xi, yi in stream(x[tr], y[tr]):
            loss = crit(model(xi), yi)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if k % 5 == 0:
            print(f"pass {k} mean hinge {total / len(tr):.4f}")
    with torch.no_grad():
        print(f"accuracy {(model(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")


main()
