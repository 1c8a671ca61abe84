"""Mail triage: bag of hashed tokens, sparse gradients, one optimizer for the table and one for the head."""
import argparse
import numpy as np
import torch
from torch import nn

BUCKETS, LABELS = 6000, 5


def mails(n, g, marks):
    toks, offs, y = [], [], g.integers(0, LABELS, n)
    pos = 0
    for k in y:
        body = np.minimum(g.zipf(1.3, 30), BUCKETS) - 1
        mark = g.choice(marks[k], g.integers(2, 6))
        t = np.concatenate([body, mark])
        toks.append(t)
        offs.append(pos)
        pos += len(t)
    return toks, torch.from_numpy(y)


def batch(toks, idx):
    part = [toks[i] for i in idx]
    off = np.cumsum([0] + [len(p) for p in part[:-1]])
    return torch.from_numpy(np.concatenate(part)), torch.from_numpy(off)


class Triage(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(BUCKETS, 12, mode="mean", sparse=True)
        self.head = nn.Linear(12, LABELS)
        nn.init.normal_(self.bag.weight, std=0.1)

    def forward(self, t, o):
        return self.head(self.bag(t, o))


ap = argparse.ArgumentParser()
ap.add_argument("--seed", type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)
g = np.random.default_rng(seed)
marks = g.permutation(np.arange(800, BUCKETS))[:LABELS * 25].reshape(LABELS, 25)
toks, y = mails(6000, g, marks)
model = Triage()
table_opt = torch.optim.SparseAdam(model.bag.parameters(), lr=0.02)
head_opt = torch.optim.Adam(model.head.parameters(), lr=0.01)
for epoch in range(8):
    for opt, base in ((table_opt, 0.02), (head_opt, 0.01)):
        for group in opt.param_groups:
            group["lr"] = base * (1 - epoch / 8)
    model.train()
    total = 0.0
    for idx in torch.randperm(5000).split(64):
        loss = nn.functional.cross_entropy(model(*batch(toks, idx.tolist())), y[idx])
        table_opt.zero_grad()
        head_opt.zero_grad()
        loss.backward()
        table_opt.step()
        head_opt.step()
        total += loss.item() * len(idx) / 5000
    model.eval()
    with torch.no_grad():
        acc = (model(*batch(toks, range(5000, 6000))).argmax(1) == y[5000:]).float().mean().item()
    print("epoch", epoch, "loss %.4f accuracy %.4f" % (total, acc))
print("accuracy %.4f" % acc)
