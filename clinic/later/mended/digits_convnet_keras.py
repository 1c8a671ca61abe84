import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(digits.target)
perm = torch.randperm(len(x))
train, test = perm[:1437], perm[1437:]

# settings carried over from the Keras version
BN = dict(momentum=0.1, eps=0.001)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8, **BN), nn.ReLU(),
    nn.Conv2d(8, 16, 3, padding=1, stride=2), nn.BatchNorm2d(16, **BN), nn.ReLU(),
    nn.Flatten(),
    nn.Linear(256, 32), nn.BatchNorm1d(32, **BN), nn.ReLU(),
    nn.Linear(32, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001)

for epoch in range(8):
    model.train()
    order = train[torch.randperm(len(train))]
    hits = 0
    for b in order.split(32):
        out = model(x[b])
        loss = criterion(out, y[b])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        hits += (out.argmax(1) == y[b]).sum().item()
    model.eval()
    with torch.no_grad():
        val = (model(x[test]).argmax(1) == y[test]).float().mean().item()
    print("epoch", epoch, "loss", round(loss.item(), 4), "acc", round(hits / len(train), 4), "val_acc", round(val, 4))

print("accuracy", val)
