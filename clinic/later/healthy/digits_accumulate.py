import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

d = load_digits()
x = torch.tensor(d.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
y = torch.tensor(d.target)
order = torch.randperm(len(x))
train, test = order[:1408], order[1408:]

model = nn.Sequential(
    nn.Conv2d(1, 12, 3), nn.GroupNorm(3, 12), nn.ReLU(inplace=True),
    nn.Conv2d(12, 24, 3), nn.GroupNorm(3, 24), nn.ReLU(inplace=True),
    nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 10),
)
criterion = nn.CrossEntropyLoss()
accumulate = 4
epochs = 7
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=epochs * 1408 // 8 // accumulate)

for epoch in range(epochs):
    optimizer.zero_grad()
    total = 0.0
    for k, b in enumerate(train[torch.randperm(1408)].split(8)):
        loss = criterion(model(x[b]), y[b]) / accumulate
        loss.backward()
        total += loss.item() * accumulate
        if (k + 1) % accumulate == 0:
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
    print("epoch", epoch, "loss", total / 176, "lr", scheduler.get_last_lr()[0])

model.eval()
with torch.no_grad():
    print("accuracy", (model(x[test]).argmax(1) == y[test]).float().mean().item())
