import argparse
import torch
from torch import nn
from sklearn.datasets import make_classification
from torch.utils.data import DataLoader, TensorDataset


def block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU())


def evaluate(net, loader):
    net.eval()
    hits = seen = 0
    with torch.no_grad():
        for x, y in loader:
            hits += (net(x).argmax(1) == y).sum().item()
            seen += len(y)
    return hits / seen


def main(args):
    torch.manual_seed(args.seed)
    X, y = make_classification(1500, n_features=20, n_informative=10, n_classes=4, class_sep=1.6, flip_y=0.0, random_state=args.seed + 7)
    X, y = torch.tensor(X).float() / 2, torch.tensor(y)
    train = DataLoader(TensorDataset(X[:1000], y[:1000]), batch_size=args.bs, shuffle=True, drop_last=True)
    valid = DataLoader(TensorDataset(X[1000:], y[1000:]), batch_size=250)
    net = nn.Sequential(block(20, 48), block(48, 48), nn.Linear(48, 4))
    opt = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=1e-3)
    for epoch in range(args.epochs):
        net.train()
        for x, y_ in train:
            loss = nn.functional.cross_entropy(net(x), y_)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"{epoch}: {loss.item():.3f} valid {evaluate(net, valid):.3f}")
    print("accuracy", round(evaluate(net, valid), 4))


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--bs", type=int, default=25)
    cli.add_argument("--epochs", type=int, default=4)
    cli.add_argument("--lr", type=float, default=2e-3)
    main(cli.parse_args())
