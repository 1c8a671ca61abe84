import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class LR:
    def __init__(self, optimizer, base, ramp):
        self.optimizer, self.base, self.ramp, self.t = optimizer, base, ramp, 0

    def step(self):
        self.t += 1
        scale = min(1.0, self.t / self.ramp) if self.ramp else 1.0
        for group in self.optimizer.param_groups:
            group["lr"] = self.base * scale


def network(sizes):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        lin = nn.Linear(a, b)
        nn.init.kaiming_normal_(lin.weight, nonlinearity="relu")
        nn.init.zeros_(lin.bias)
        layers += [lin, nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--ramp", type=int, default=0)
    p.add_argument("--epochs", type=int, default=12)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    X, y = load_digits(return_X_y=True)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.25, random_state=a.seed)
    mean, std = Xa.mean(0), Xa.std(0).clip(1.0)
    Xa, Xb = torch.tensor((Xa - mean) / std).float(), torch.tensor((Xb - mean) / std).float()
    ya, yb = torch.tensor(ya), torch.tensor(yb)

    net = network([64, 64, 64, 64, 64, 64, 10])
    opt = torch.optim.RMSprop(net.parameters(), lr=a.lr, alpha=0.999, momentum=0.9)
    lr = LR(opt, a.lr, a.ramp)
    for epoch in range(a.epochs):
        total = 0.0
        for idx in torch.randperm(len(Xa)).split(32):
            lr.step()
            loss = nn.functional.cross_entropy(net(Xa[idx]), ya[idx])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch} loss {total / len(Xa):.4f}")
    with torch.no_grad():
        print("accuracy %.4f" % (net(Xb).argmax(1) == yb).float().mean().item())


if __name__ == "__main__":
    main()
