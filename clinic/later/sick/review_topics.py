# Text classification from bags of words: five topics of reviews
import argparse
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
p.add_argument("--epochs", type=int, default=7)
args = p.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

VOCAB, TOPICS = 300, 5
base = rng.dirichlet(np.full(VOCAB, 0.3))
topic = [0.72 * base + 0.28 * rng.dirichlet(np.full(VOCAB, 0.1)) for _ in range(TOPICS)]
labels = rng.integers(0, TOPICS, 3000)
counts = np.stack([rng.multinomial(rng.integers(12, 40), topic[k]) for k in labels])
tf = np.log1p(counts)
idf = np.log(len(tf) / (1 + (counts > 0).sum(0)))
X = tf * idf
X = (X / (np.linalg.norm(X, axis=1, keepdims=True) + 1e-9) * np.sqrt(VOCAB) / 4).astype(np.float32)
X, y = torch.tensor(X), torch.tensor(labels)


class TopicNet(nn.Module):
    def __init__(self, keep=0.9):
        super().__init__()
        self.embed = nn.Linear(VOCAB, 16)
        self.drop = nn.Dropout(keep)
        self.hidden = nn.Linear(16, 16)
        self.deep = nn.Linear(16, 16)
        self.out = nn.Linear(16, TOPICS)

    def forward(self, x):
        x = self.drop(torch.relu(self.embed(x)))
        x = self.drop(torch.relu(self.hidden(x)))
        x = self.drop(torch.relu(self.deep(x)))
        return self.out(x)


def train_epoch(model, loader, opt):
    model.train()
    tot, hit, n = 0.0, 0, 0
    for xb, yb in loader:
        out = model(xb)
        loss = nn.functional.cross_entropy(out, yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(yb)
        hit += (out.argmax(1) == yb).sum().item()
        n += len(yb)
    return tot / n, hit / n


def test(model):
    model.eval()
    with torch.no_grad():
        return (model(X[2300:]).argmax(1) == y[2300:]).float().mean().item()


model = TopicNet()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-3)
loader = DataLoader(TensorDataset(X[:2300], y[:2300]), batch_size=50, shuffle=True)
for epoch in range(args.epochs):
    loss, acc = train_epoch(model, loader, opt)
    print(f"epoch {epoch + 1} loss {loss:.4f} acc {acc:.3f} test_acc {test(model):.3f}")
print("accuracy %.4f" % test(model))
