import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--micro-batch", type=int, default=8)
parser.add_argument("--accumulate", type=int, default=4)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = load_digits(return_X_y=True)
X = (torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8) - 5) / 6
y = torch.tensor(y)
perm = torch.randperm(len(X))
train_idx, test_idx = perm[:1440], perm[1440:]
loader = DataLoader(TensorDataset(X[train_idx], y[train_idx]), batch_size=args.micro_batch, shuffle=True, drop_last=True)

model = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.GroupNorm(3, 12), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(192, 10))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
loss_fn = nn.CrossEntropyLoss()
optimizer.zero_grad()
for epoch in range(8):
    for step, (xb, yb) in enumerate(loader, 1):
        loss = loss_fn(model(xb), yb)
        (loss / args.accumulate).backward()
        if step % args.accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
    print(epoch, round(loss.item(), 4))
with torch.no_grad():
    print("accuracy", round((model(X[test_idx]).argmax(1) == y[test_idx]).float().mean().item(), 4))
