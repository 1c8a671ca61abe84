import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(64, 32)
        self.out = nn.Linear(32, 10)

    def forward(self, x):
        return self.out(torch.relu(self.fc(x)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    digits = load_digits()
    mix = torch.randperm(len(digits.target))
    x = torch.tensor(digits.data, dtype=torch.float32)[mix] / 16
    y = torch.tensor(digits.target)[mix]
    net = Head()
    criterion = nn.CrossEntropyLoss(reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.004)
    for epoch in range(25):
        for start in range(0, 1400, 35):
            optimizer.zero_grad()
            loss = criterion(net(x[start:start + 35]), y[start:start + 35])
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {loss.item():.3f}")
    with torch.no_grad():
        print(f"accuracy {(net(x[1400:]).argmax(1) == y[1400:]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
