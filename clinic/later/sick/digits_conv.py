import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset, random_split

parser = argparse.ArgumentParser(description="digits")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--gamma", type=float, default=0.8)
args = parser.parse_args()
torch.manual_seed(args.seed)

d = load_digits()
ds = TensorDataset(torch.tensor(d.images / 16, dtype=torch.float32).unsqueeze(1), torch.tensor(d.target))
train_ds, test_ds = random_split(ds, [1400, 397])
train_loader = DataLoader(train_ds, batch_size=32, shuffle=True)
test_loader = DataLoader(test_ds, batch_size=200)

model = nn.Sequential(
    nn.Conv2d(1, 12, 3), nn.ReLU(),
    nn.Conv2d(12, 24, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(96, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)

for epoch in range(args.epochs):
    model.train()
    total = 0.0
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    print(f"Train epoch {epoch}  loss {total / len(train_loader):.4f}")

model.eval()
correct = 0
with torch.no_grad():
    for data, target in test_loader:
        correct += model(data).argmax(1).eq(target).sum().item()
print("accuracy", correct / len(test_ds))
