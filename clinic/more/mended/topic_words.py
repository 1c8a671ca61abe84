import argparse

import numpy as np
import torch
from torch import nn

WORDS, TOPICS = 600, 12


def corpus(seed, n):
    rng = np.random.RandomState(100 + seed)
    prior = 1 / np.arange(1, TOPICS + 1) ** 0.5
    topic = rng.choice(TOPICS, size=n, p=prior / prior.sum())
    vocab = rng.dirichlet(np.full(WORDS, 0.05), size=TOPICS)
    bags = np.zeros((n, WORDS), dtype=np.float32)
    for i, t in enumerate(topic):
        bags[i, rng.choice(WORDS, size=25, p=0.6 * vocab[t] + 0.4 / WORDS)] = 1
    return torch.from_numpy(bags), torch.from_numpy(topic)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(WORDS, 64)
        self.drop = nn.Dropout(0.3)
        self.out = nn.Linear(64, TOPICS)

    def forward(self, bag):
        return self.out(self.drop(torch.relu(self.embed(bag))))

    def penalty(self):
        return self.embed.weight.abs().sum()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x, y = corpus(seed, 3000)
    x_train, y_train, x_test, y_test = x[:2400], y[:2400], x[2400:], y[2400:]
    net = Classifier()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    for epoch in range(8):
        net.train()
        for idx in torch.randperm(len(x_train)).split(32):
            loss = nn.functional.cross_entropy(net(x_train[idx]), y_train[idx]) + 1e-6 * net.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
        print(f"epoch {epoch}: loss {loss.item():.3f} test {accuracy:.3f}")
    print(f"accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
