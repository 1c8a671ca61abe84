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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(7)
    x_train, y_train = map(torch.as_tensor, bag_of_words(3000, rng))
    x_test, y_test = map(torch.as_tensor, bag_of_words(1000, rng))
    model = nn.Sequential(nn.Linear(400, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 20))
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    for epoch in range(4):
        model.train()
        for i in torch.randperm(3000).split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x_train[i]), y_train[i])
            loss.backward()
            optimizer.step()
        print("epoch", epoch, "loss", loss.item())
    model.eval()
    with torch.no_grad():
        print("accuracy", (model(x_test).argmax(1) == y_test).float().mean().item())


if __name__ == "__main__":
    main()
