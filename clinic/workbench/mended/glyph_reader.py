import argparse
import torch
from torch import nn
from sklearn.datasets import load_digits


def get_data(seed):
    g = torch.Generator().manual_seed(seed)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 16 - .3
    y = torch.tensor(d.target)
    p = torch.randperm(len(x), generator=g)
    return x[p[:1400]], y[p[:1400]], x[p[1400:]], y[p[1400:]]


def build():
    return nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 16, 3), nn.ReLU(), nn.Flatten(),
                         nn.Linear(256, 40), nn.ReLU(), nn.Linear(40, 10))


def update(opt, loss):
    opt.zero_grad()
    loss.backward()
    opt.step()


def evaluate(net, x, y):
    with torch.no_grad():
        return (net(x).argmax(1) == y).float().mean().item()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument('--seed', type=int, default=0)
    args = ap.parse_args()
    torch.manual_seed(args.seed)
    x, y, xv, yv = get_data(args.seed)
    net = build()
    opt = torch.optim.SGD(net.parameters(), lr=0.05)
    for epoch in range(16):
        for i in torch.randperm(len(x)).split(35):
            update(opt, nn.functional.cross_entropy(net(x[i]), y[i]))
        if epoch % 4 == 3:
            print('epoch', epoch + 1, 'accuracy', evaluate(net, xv, yv))
    print('accuracy', evaluate(net, xv, yv))


if __name__ == '__main__':
    main()
