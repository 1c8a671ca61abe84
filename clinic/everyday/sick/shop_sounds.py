import argparse

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

CLASSES = ["bell", "till", "door", "voice", "fridge", "step"]
ridge = torch.rand(len(CLASSES), 3) * 14
slope = torch.randn(len(CLASSES), 3) * 0.4


def spectrogram(k):
    f = torch.arange(16.0)[:, None]
    t = torch.arange(16.0)[None, :]
    img = 0.8 * torch.randn(16, 16)
    shift = torch.randn(1)
    for a, b in zip(ridge[k], slope[k]):
        img += 1.8 * torch.exp(-((f - a - shift - b * (t - 8)) / 1.2) ** 2)
    return img


def folder(k, n):
    return torch.stack([spectrogram(k) for _ in range(n)])[:, None]


train_x = torch.cat([folder(k, 200) for k in range(6)])
train_y = torch.arange(6).repeat_interleave(200)
test = {k: folder(k, 60) for k in range(6)}
loader = DataLoader(TensorDataset(train_x, train_y), batch_size=40, shuffle=True)


class SoundNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(12)
        self.conv2 = nn.Conv2d(12, 24, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(24)
        self.drop = nn.Dropout(0.4)
        self.fc1 = nn.Linear(24 * 16, 40)
        self.bn3 = nn.BatchNorm1d(40)
        self.fc2 = nn.Linear(40, 6)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = nn.functional.max_pool2d(torch.relu(self.bn2(self.conv2(x))), 2)
        x = self.drop(x.flatten(1))
        x = torch.relu(self.bn3(self.fc1(x)))
        return self.fc2(x)


def test_accuracy(net):
    right = total = 0
    with torch.no_grad():
        for k, x in test.items():
            for part in x.split(20):
                right += (net(part).argmax(1) == k).sum().item()
                total += len(part)
    return right / total


net = SoundNet()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
criterion = nn.CrossEntropyLoss()
for epoch in range(7):
    net.train()
    running = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        running += loss.item()
    scheduler.step()
    print(f"[{epoch + 1}] loss: {running / len(loader):.3f} test: {test_accuracy(net):.3f}")
print("accuracy", test_accuracy(net))
