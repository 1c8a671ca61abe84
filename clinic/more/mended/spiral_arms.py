import argparse
import torch
import torch.nn as nn


class FlexibleNet(nn.Module):
    def __init__(self, sizes, classes):
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.last = nn.Linear(sizes[-1], classes)

    def forward(self, x):
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.last(x)


def spirals(n, arms, noise=0.06):
    k = torch.randint(0, arms, (n,))
    r = torch.rand(n) * 0.9 + 0.1
    a = 3.5 * r + k * 2 * torch.pi / arms
    return 2 * torch.stack([r * a.cos(), r * a.sin()], 1) + noise * torch.randn(n, 2), k


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    X, y = spirals(2000, 3)
    Xt, yt = spirals(500, 3)
    net = FlexibleNet([2, 32, 32], 3)
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for epoch in range(30):
        for i in torch.randperm(2000).split(50):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(X[i]), y[i])
            loss.backward()
            opt.step()
        if epoch % 6 == 0:
            print("epoch", epoch, "loss", round(loss.item(), 4))
    with torch.no_grad():
        print("accuracy", round((net(Xt).argmax(1) == yt).float().mean().item(), 3))


if __name__ == "__main__":
    main()
