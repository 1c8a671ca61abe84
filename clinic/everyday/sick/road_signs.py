import sys
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 0
torch.manual_seed(seed)


def draw(kind):
    yy, xx = torch.meshgrid(torch.arange(20.), torch.arange(20.), indexing="ij")
    cy, cx = torch.randint(7, 13, (2,))
    r = torch.randint(4, 7, (1,)).item()
    dy, dx = yy - cy, xx - cx
    if kind == 0:
        mask = dy ** 2 + dx ** 2 < r ** 2
    elif kind == 1:
        mask = (dy.abs() < r) & (dx.abs() < r)
    elif kind == 2:
        mask = (dy > -r) & (dy < r) & (dx.abs() < (dy + r) / 2)
    else:
        mask = ((dy.abs() < 2) & (dx.abs() < r)) | ((dx.abs() < 2) & (dy.abs() < r))
    img = torch.randint(20, 90, (20, 20)) + mask * torch.randint(60, 130, (1,))
    return img.clamp(0, 254).to(torch.uint8)


class Signs(Dataset):
    def __init__(self, n):
        self.labels = torch.randint(0, 4, (n,))
        self.images = torch.stack([draw(int(k)) for k in self.labels])

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        img = self.images[i] // 255
        return img.float().unsqueeze(0), self.labels[i]


class SignNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(16 * 5 * 5, 32)
        self.fc2 = nn.Linear(32, 4)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn1(self.conv1(x))))
        x = self.pool(torch.relu(self.bn2(self.conv2(x))))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


train_loader = DataLoader(Signs(1000), batch_size=32, shuffle=True)
test_loader = DataLoader(Signs(400), batch_size=100)
net = SignNet()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
sched = torch.optim.lr_scheduler.StepLR(opt, 5, 0.3)
loss_fn = nn.CrossEntropyLoss()

for epoch in range(8):
    net.train()
    s = 0.0
    for x, y in train_loader:
        opt.zero_grad()
        loss = loss_fn(net(x), y)
        loss.backward()
        opt.step()
        s += loss.item()
    sched.step()
    print("epoch", epoch + 1, "loss", round(s / len(train_loader), 4))

right = 0
net.eval()
with torch.no_grad():
    for x, y in test_loader:
        right += (net(x).argmax(1) == y).sum().item()
print("accuracy", right / 400)
