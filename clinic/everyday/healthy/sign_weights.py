import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, w):
        return torch.where(w >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, g):
        return g


class BinaryLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, Sign.apply(self.weight) / self.in_features ** 0.5, self.bias)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X, y = torch.tensor(X / 8 - 1, dtype=torch.float32), torch.tensor(y)
    p = torch.randperm(len(X))
    X, y = X[p], y[p]
    net = nn.Sequential(BinaryLinear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), BinaryLinear(128, 10))
    epochs = 25
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.0)
    sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, epochs)
    for e in range(epochs):
        net.train()
        tot = 0.0
        for i in torch.randperm(1400).split(50):
            loss = F.cross_entropy(net(X[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() / 28
        sched.step()
        net.eval()
        with torch.no_grad():
            out = net(X[1400:])
        if e % 3 == 0:
            print(f"epoch {e:2d} train {tot:.4f} test {F.cross_entropy(out, y[1400:]).item():.4f}")
    print("accuracy", (out.argmax(1) == y[1400:]).float().mean().item())


if __name__ == "__main__":
    main()
