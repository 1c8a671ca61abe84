"""Ten hidden layers on digits with a learning rate per group."""
import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits


class DeepNet(nn.Module):
    def __init__(self, act, depth=10, width=48):
        super().__init__()
        self.inp = nn.Linear(64, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.out = nn.Linear(width, 10)
        self.act = act()
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.act(self.inp(x))
        for layer in self.hidden:
            h = self.act(layer(h))
        return self.out(h)


def groups(net, base):
    yield {"params": net.inp.parameters(), "lr": base}
    yield {"params": net.hidden.parameters(), "lr": base}
    yield {"params": net.out.parameters(), "lr": base / 2}


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--base-lr", type=float, default=0.02)
    ap.add_argument("--epochs", type=int, default=20)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    d = load_digits()
    x = torch.tensor((d.data - d.data.mean()) / d.data.std(), dtype=torch.float32)
    y = torch.tensor(d.target)
    p = torch.randperm(len(x))
    tr, te = p[:1300], p[1300:]
    net = DeepNet(nn.ReLU)
    opt = torch.optim.SGD(groups(net, args.base_lr), momentum=0.9)
    for ep in range(args.epochs):
        for i in tr[torch.randperm(len(tr))].split(32):
            loss = nn.functional.cross_entropy(net(x[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
        if ep % 4 == 0:
            print(f"{ep:2d} {loss.item():.4f}")
    with torch.no_grad():
        print(f"accuracy {(net(x[te]).argmax(1) == y[te]).float().mean().item():.4f}")
