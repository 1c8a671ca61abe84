import argparse

import numpy as np
import torch
from torch import nn


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
rng = np.random.default_rng(27)
x, y = map(torch.as_tensor, bag_of_words(2500, rng))
x_test, y_test = map(torch.as_tensor, bag_of_words(1000, rng))
hidden, output = nn.Linear(400, 64), nn.Linear(64, 20)
optimizer = torch.optim.Adam([*hidden.parameters(), *output.parameters()], lr=1e-3)
for epoch in range(6):
    for rows in torch.randperm(2500).split(32):
        data_loss = nn.functional.cross_entropy(output(torch.relu(hidden(x[rows]))), y[rows])
        loss = data_loss + 0.01 * hidden.weight.abs().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} data {data_loss.item():.4f} total {loss.item():.4f}")
with torch.no_grad():
    print("accuracy", (output(torch.relu(hidden(x_test))).argmax(1) == y_test).float().mean().item())
