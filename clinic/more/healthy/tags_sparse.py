import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def documents(seed, n=2400, words=400, topics=6):
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, topics, n)
    x = np.zeros((n, words), dtype=np.float32)
    for row, t in enumerate(topic):
        own = rng.integers(t * 40, t * 40 + 60, 6)
        x[row, own] = 1
        x[row, rng.integers(0, words, 6)] = 1
    return torch.from_numpy(x), torch.from_numpy(topic)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(400, 32), nn.ReLU(inplace=True), nn.Linear(32, 6))

    def forward(self, x):
        return self.layers(x)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x, y = documents(seed)
    net = Tagger()
    optimizer = torch.optim.Adagrad(net.parameters(), lr=0.05)
    for epoch in range(8):
        for xb, yb in DataLoader(TensorDataset(x[:2000], y[:2000]), batch_size=32, shuffle=True):
            loss = nn.functional.cross_entropy(net(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            hit = (net(x[2000:]).argmax(1) == y[2000:]).float().mean().item()
        print(f"epoch {epoch} held out {hit:.3f}")
    print(f"accuracy {hit:.3f}")
