import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

# machine telemetry: which of five operating states? 12 channels, states depend on products of channels
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--blocks", type=int, default=3)
args = parser.parse_args()
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X = np.random.randn(5000, 12)
code = 2 * (X[:, 0] * X[:, 1] > 0) + (X[:, 2] * X[:, 3] > 0)
y = np.where(X[:, 4] + X[:, 5] > 1.2, 4, code)
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.long)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.lin1 = nn.Linear(width, width)
        self.lin2 = nn.Linear(width, width)

    def forward(self, h):
        return h + self.lin2(torch.relu(self.lin1(h)))


class TabularNet(nn.Module):
    def __init__(self, n_in, n_classes, width=32, n_blocks=3):
        super().__init__()
        self.stem = nn.Linear(n_in, width)
        self.blocks = [Block(width) for _ in range(n_blocks)]
        self.head = nn.Linear(width, n_classes)

    def forward(self, x):
        h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h)


model = TabularNet(12, 5, n_blocks=args.blocks)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
criterion = nn.CrossEntropyLoss()
loader = DataLoader(TensorDataset(X[:4000], y[:4000]), batch_size=64, shuffle=True)

for epoch in range(1, 15):
    model.train()
    loss_sum, correct = 0.0, 0
    for xb, yb in loader:
        optimizer.zero_grad()
        out = model(xb)
        loss = criterion(out, yb)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(yb)
        correct += (out.argmax(1) == yb).sum().item()
    model.eval()
    with torch.no_grad():
        val = (model(X[4000:]).argmax(1) == y[4000:]).float().mean().item()
    print(f"{epoch:02d} loss {loss_sum / 4000:.4f} acc {correct / 4000:.3f} val_acc {val:.3f}")
print("accuracy", round(val, 4))
