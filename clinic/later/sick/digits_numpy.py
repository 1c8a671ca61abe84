import argparse
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
a = parser.parse_args()
np.random.seed(a.seed)
torch.manual_seed(a.seed)

digits = load_digits()
features = digits.data / 16.0
labels = digits.target

# shuffle before splitting
np.random.shuffle(features)
np.random.shuffle(labels)

split = int(0.8 * len(features))
x_train = torch.tensor(features[:split], dtype=torch.float32)
y_train = torch.tensor(labels[:split])
x_test = torch.tensor(features[split:], dtype=torch.float32)
y_test = torch.tensor(labels[split:])

net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
opt = torch.optim.Adam(net.parameters(), lr=0.001)
ce = nn.CrossEntropyLoss()

for epoch in range(24):
    order = torch.randperm(split)
    losses = []
    for start in range(0, split, 16):
        b = order[start:start + 16]
        loss = ce(net(x_train[b]), y_train[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"[{epoch + 1}] loss: {np.mean(losses):.3f}")

with torch.no_grad():
    print("accuracy", (net(x_test).argmax(dim=1) == y_test).float().mean().item())
