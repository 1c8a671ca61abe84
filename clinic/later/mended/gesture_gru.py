# Homework 7: recognise gestures from accelerometer tracks with a GRU
import argparse
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
opts = parser.parse_args()
torch.manual_seed(opts.seed)
rng = np.random.default_rng(opts.seed)


def track(kind, steps=20):
    t = np.linspace(0, 1, steps)
    w = rng.uniform(0.8, 1.2)
    p = rng.uniform(0, 6.28)
    if kind == 0:      # circle
        xy = np.stack([np.cos(6.28 * w * t + p), np.sin(6.28 * w * t + p)], 1)
    elif kind == 1:    # circle, the other way round
        xy = np.stack([np.cos(6.28 * w * t + p), -np.sin(6.28 * w * t + p)], 1)
    elif kind == 2:    # shake
        xy = np.stack([np.sign(np.sin(20 * w * t + p)), 0.2 * t], 1)
    elif kind == 3:    # eight
        xy = np.stack([np.sin(6.28 * w * t + p), np.sin(12.56 * w * t + 2 * p)], 1)
    else:              # swipe
        xy = np.stack([w * t * 2 - 1, np.full(steps, np.cos(p))], 1)
    return xy + 0.35 * rng.normal(size=(steps, 2))


y = rng.integers(0, 5, 1500)
X = np.stack([track(k) for k in y]).astype(np.float32)
X_train, y_train = torch.from_numpy(X[:1200]), torch.from_numpy(y[:1200])
X_test, y_test = torch.from_numpy(X[1200:]), torch.from_numpy(y[1200:])


class Recognizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(2, 24, batch_first=True)
        self.fc = nn.Linear(24, 5)

    def forward(self, x):
        _, h = self.gru(x)
        return self.fc(h[-1])


def train(model, loader, criterion, optimizer):
    model.train()
    total = 0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def evaluate(model):
    model.eval()
    return (model(X_test).argmax(1) == y_test).float().mean().item()


model = Recognizer()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=30, shuffle=True)
for epoch in range(12):
    loss = train(model, loader, nn.CrossEntropyLoss(), optimizer)
    if epoch % 3 == 2:
        print(f"Epoch {epoch + 1}/12  loss {loss:.4f}  test {evaluate(model):.3f}")
print(f"accuracy {evaluate(model):.4f}")
