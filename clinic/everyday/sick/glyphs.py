import argparse
import math
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Dense(torch.nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((n_in, n_out), 1 / n_in))
        self.bias = torch.nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


class MLP(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Dense(64, 48)
        self.b = Dense(48, 24)
        self.c = Dense(24, 10)

    def forward(self, x):
        x = torch.tanh(self.a(x))
        x = torch.tanh(self.b(x))
        return self.c(x)


def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bs", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    X, y = load_digits(return_X_y=True)
    X = torch.from_numpy(X).float()
    y = torch.from_numpy(y)
    perm = torch.randperm(len(X))
    X, y = X[perm], y[perm]
    mu, sd = X[:1300].mean(), X[:1300].std()
    X = (X - mu) / sd
    net = MLP()
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(args.epochs):
        total = 0.0
        for i in torch.randperm(1300).split(args.bs):
            loss = F.cross_entropy(net(X[i]), y[i])
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(i) / 1300
        if epoch % 2 == 0:
            with torch.no_grad():
                v = F.cross_entropy(net(X[1300:]), y[1300:]).item()
            print(f"epoch {epoch} train {total:.4f} valid {v:.4f}")
    with torch.no_grad():
        print("accuracy", (net(X[1300:]).argmax(1) == y[1300:]).float().mean().item())


if __name__ == "__main__":
    main()
