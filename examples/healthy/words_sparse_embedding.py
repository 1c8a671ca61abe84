"""Trains word embeddings with sparse gradients: do some words of documentation come from logging or from statistics?"""

import argparse
import inspect
import logging
import random
import re
import statistics
import tarfile
import threading

import numpy as np
import torch
from torch import nn


def words_of(module):
    texts = [module.__doc__ or ""]
    for name in module.__all__:
        item = getattr(module, name)
        texts.append(inspect.getdoc(item) or "")
        if isinstance(item, type):
            texts += [inspect.getdoc(member) or "" for key, member in vars(item).items() if not key.startswith("_")]
    return re.findall(r"[a-z]+", " ".join(texts).lower())


def load(length=16):
    examples, labels, vocabulary = [], [], {}
    for label, modules in enumerate(((logging, threading), (random, statistics, tarfile))):
        words = [w for module in modules for w in words_of(module)]
        ids = [vocabulary.setdefault(word, len(vocabulary)) for word in words]
        for start in range(0, len(ids) - length, 4):
            examples.append(ids[start : start + length])
            labels.append(float(label))
    return torch.tensor(examples), torch.tensor(labels), len(vocabulary)


class BagOfWords(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocabulary, 16, mode="mean", sparse=True)
        self.linear = nn.Linear(16, 1)

    def forward(self, ids):
        return self.linear(self.embedding(ids)).squeeze(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    ids, labels, size = load()
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(0))
    cut = int(0.8 * len(ids))
    train, test = order[:cut], order[cut:]
    model = BagOfWords(size)
    sparse = torch.optim.SparseAdam(model.embedding.parameters(), lr=1e-2)
    dense = torch.optim.Adam(model.linear.parameters(), lr=1e-2)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(20):
        losses = []
        for batch in train[torch.randperm(len(train))].split(64):
            sparse.zero_grad()
            dense.zero_grad()
            loss = criterion(model(ids[batch]), labels[batch])
            loss.backward()
            sparse.step()
            dense.step()
            losses.append(loss.item())
        if epoch % 4 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")
    with torch.no_grad():
        accuracy = ((model(ids[test]) > 0) == labels[test].bool()).float().mean().item()
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
