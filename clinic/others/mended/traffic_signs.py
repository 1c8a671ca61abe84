# small convnet with batch norm on made-up 12x12 signs, accuracy is reported per class
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)
rng = np.random.RandomState(seed)
yy, xx = np.mgrid[0:12, 0:12]


def draw(kind):
    cx, cy, r = 5.5 + rng.uniform(-1.2, 1.2), 5.5 + rng.uniform(-1.2, 1.2), rng.uniform(3, 4.5)
    if kind == 0:
        img = ((xx - cx) ** 2 + (yy - cy) ** 2 < r ** 2) * 1.0
    elif kind == 1:
        img = ((abs(xx - cx) < r * 0.85) & (abs(yy - cy) < r * 0.85)) * 1.0
    elif kind == 2:
        img = ((yy - cy < r * 0.8) & (abs(xx - cx) < (yy - cy + r) * 0.6)) * 1.0
    elif kind == 3:
        img = (abs(xx - cx) + abs(yy - cy) < r * 1.15) * 1.0
    else:
        img = ((abs(xx - cx) < 1.2) | (abs(yy - cy) < 1.2)) * ((abs(xx - cx) < r) & (abs(yy - cy) < r)) * 1.0
    return img + 0.25 * rng.randn(12, 12)


def make(n):
    y = rng.randint(0, 5, n)
    x = np.array([draw(k) for k in y], dtype=np.float32)
    return torch.from_numpy(x[:, None] - 0.3), torch.from_numpy(y)


x_train, y_train = make(1500)
x_test, y_test = make(500)


class SignNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(16)
        self.fc1 = nn.Linear(16 * 9, 32)
        self.bn3 = nn.BatchNorm1d(32)
        self.fc2 = nn.Linear(32, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        x = F.relu(self.bn3(self.fc1(x.flatten(1))))
        return self.fc2(x)


model = SignNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)


def class_accuracy():
    model.eval()
    per_class = []
    with torch.no_grad():
        for c in range(5):
            batch = x_test[y_test == c]
            per_class.append((model(batch).argmax(1) == c).float().mean().item())
    return per_class


for epoch in range(14):
    model.train()
    for idx in torch.randperm(len(x_train)).split(30):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
    print(epoch, round(loss.item(), 4), [round(a, 2) for a in class_accuracy()])

print('accuracy', round(float(np.mean(class_accuracy())), 4))
