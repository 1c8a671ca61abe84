import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Block(nn.Module):
    def __init__(self, n_in, n_out, momentum):
        super().__init__()
        self.linear = nn.Linear(n_in, n_out, bias=False)
        self.norm = nn.BatchNorm1d(n_out, momentum=momentum)

    def forward(self, x):
        return torch.relu(self.norm(self.linear(x)))


class DeepNet(nn.Module):
    def __init__(self, depth=5, width=64, momentum=0.1):
        super().__init__()
        sizes = [64] + [width] * depth
        self.blocks = nn.Sequential(*[Block(a, b, momentum) for a, b in zip(sizes, sizes[1:])])
        self.out = nn.Linear(width, 10)

    def forward(self, x):
        return self.out(self.blocks(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(81))
    train, valid = order[:1360], order[1360:]
    model = DeepNet(momentum=0.0005)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for epoch in range(10):
        model.train()
        train_loss = 0
        for rows in train[torch.randperm(1360)].split(40):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            train_loss += loss.item() / 34
        scheduler.step()
        model.eval()
        with torch.no_grad():
            scores = model(x[valid])
        valid_loss = nn.functional.cross_entropy(scores, y[valid]).item()
        accuracy = (scores.argmax(1) == y[valid]).float().mean().item()
        print(f"epoch {epoch} train {train_loss:.3f} valid {valid_loss:.3f} accuracy {accuracy:.3f}")
    print("accuracy", accuracy)


if __name__ == "__main__":
    main()
