import argparse

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)

digits = load_digits()
perm = np.random.permutation(len(digits.data))
images = torch.tensor(digits.data[perm] / 16.0, dtype=torch.float32)
labels = torch.tensor(digits.target[perm])
train_x, test_x = images[:1400], images[1400:]
train_y, test_y = labels[:1400], labels[1400:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(64, 40))
        self.b1 = nn.Parameter(torch.randn(40))
        self.w2 = nn.Parameter(torch.randn(40, 10))
        self.b2 = nn.Parameter(torch.randn(10))

    def forward(self, x):
        h = x @ self.w1 + self.b1
        return h @ self.w2 + self.b2


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=3.0)
objective = nn.MSELoss()
for epoch in range(16):
    for start in range(0, len(train_x), 20):
        xb, yb = train_x[start:start + 20], train_y[start:start + 20]
        loss = objective(net(xb), nn.functional.one_hot(yb, 10).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 4 == 3:
        with torch.no_grad():
            acc = (net(test_x).argmax(1) == test_y).float().mean().item()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}, test {acc:.3f}")

with torch.no_grad():
    acc = (net(test_x).argmax(1) == test_y).float().mean().item()
print(f"accuracy {acc:.3f}")
