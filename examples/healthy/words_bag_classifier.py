"""Trains a classifier of documentation paragraphs by module, on sparse rows of zeros and ones for words."""

import argparse
import inspect
import logging
import pathlib
import random
import re
import statistics
import tarfile

import numpy as np
import torch
from torch import nn

MODULES = (logging, pathlib, random, statistics, tarfile)


def passages(module, length=25):
    texts = [module.__doc__ or ""]
    for name in module.__all__:
        item = getattr(module, name)
        texts.append(inspect.getdoc(item) or "")
        if isinstance(item, type):
            texts += [inspect.getdoc(member) or "" for key, member in vars(item).items() if not key.startswith("_")]
    words = re.findall(r"[a-z]+", " ".join(texts).lower())
    return [words[i : i + length] for i in range(0, len(words) - length, 10)]


def load(size=400):
    documents, labels = [], []
    for label, module in enumerate(MODULES):
        found = passages(module)[:300]
        documents += found
        labels += [label] * len(found)
    counts = {}
    for words in documents:
        for word in set(words):
            counts[word] = counts.get(word, 0) + 1
    vocabulary = {w: i for i, w in enumerate(sorted(counts, key=lambda w: (-counts[w], w))[:size])}
    X = torch.zeros(len(documents), len(vocabulary))
    for row, words in enumerate(documents):
        for word in words:
            if word in vocabulary:
                X[row, vocabulary[word]] = 1.0
    return X, torch.tensor(labels)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    X, y = load()
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))
    cut = int(0.8 * len(X))
    train, test = order[:cut], order[cut:]
    model = nn.Sequential(nn.Linear(X.shape[1], 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, len(MODULES)))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(25):
        model.train()
        total = 0.0
        for rows in train[torch.randperm(len(train))].split(40):
            optimizer.zero_grad()
            loss = loss_fn(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {total / len(train):.4f}")
    model.eval()
    with torch.no_grad():
        print(f"accuracy {(model(X[test]).argmax(1) == y[test]).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
