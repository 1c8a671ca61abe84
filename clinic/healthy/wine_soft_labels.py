import argparse

import torch
from sklearn.datasets import load_wine
from torch import nn

config = {"lr": 5e-3, "epochs": 60, "batch": 18, "smoothing": 0.1, "hidden": 20}
parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
wine = load_wine()
x = torch.tensor(wine.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(wine.target)
order = torch.randperm(178, generator=torch.Generator().manual_seed(2))
train, test = order[:126], order[126:]
net = nn.Sequential(nn.Linear(13, config["hidden"]), nn.ReLU(), nn.Linear(config["hidden"], 3))
criterion = nn.CrossEntropyLoss(label_smoothing=config["smoothing"])
optimizer = torch.optim.AdamW(net.parameters(), lr=config["lr"], weight_decay=0.01)
for epoch in range(config["epochs"]):
    for rows in train[torch.randperm(126)].split(config["batch"]):
        loss = criterion(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(epoch, round(loss.item(), 4))
with torch.no_grad():
    print("accuracy", (net(x[test]).argmax(1) == y[test]).float().mean().item())
