import argparse

import numpy as np
import torch
from torch import nn

settings = {"hidden": 48, "epochs": 5, "batch_size": 32, "optimizer": {"lr": 0.02, "lr_decay": 0.5}}


def bag_of_words(n, rng, topics=20, words=400, length=60):
    """Documents of one topic each; topics as uneven as in newspapers."""
    prior = 1 / np.arange(1, topics + 1)
    shape = np.random.default_rng(0).dirichlet(np.full(words, 0.05), size=topics)
    background = np.random.default_rng(1).dirichlet(np.full(words, 0.3))
    labels = rng.choice(topics, size=n, p=prior / prior.sum())
    bags = np.stack([rng.multinomial(length, 0.5 * shape[k] + 0.5 * background) for k in labels])
    return (bags > 0).astype(np.float32), labels


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
rng = np.random.default_rng(17)
x, y = map(torch.as_tensor, bag_of_words(2500, rng))
x_test, y_test = map(torch.as_tensor, bag_of_words(1000, rng))
net = nn.Sequential(nn.Linear(400, settings["hidden"]), nn.ReLU(), nn.Linear(settings["hidden"], 20))
optimizer = torch.optim.Adagrad(net.parameters(), **settings["optimizer"])
for epoch in range(settings["epochs"]):
    for rows in torch.randperm(len(x)).split(settings["batch_size"]):
        loss = nn.functional.cross_entropy(net(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    print("accuracy", (net(x_test).argmax(1) == y_test).float().mean().item())
