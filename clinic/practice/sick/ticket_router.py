"""Route support tickets to one of eight teams. Token embeddings, attention pooling, linear head."""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

TEAMS = ["billing", "login", "shipping", "returns", "hardware", "network", "legal", "other"]
WORDS = 400


def tickets(n, rng, keys):
    out = []
    for _ in range(n):
        team = int(rng.integers(len(TEAMS)))
        length = int(rng.integers(10, 28))
        words = rng.integers(1, WORDS, length)
        where = rng.choice(length, 2, replace=False)
        words[where] = rng.choice(keys[team], 2)
        out.append((torch.from_numpy(words), team))
    return out


def collate(batch):
    toks, team = zip(*batch)
    return pad_sequence(toks, batch_first=True), torch.tensor(team)


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.proj = nn.Linear(dim, dim)
        self.query = nn.Linear(dim, 1, bias=False)

    def forward(self, h, pad):
        score = self.query(torch.tanh(self.proj(h))).squeeze(-1)
        score = score.masked_fill(pad, -1e4)
        weight = F.softmax(score, dim=0)
        return torch.einsum("bt,btd->bd", weight, h)


class Router(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.embed = nn.Embedding(WORDS, dim, padding_idx=0)
        self.pool = AttentionPool(dim)
        self.head = nn.Linear(dim, len(TEAMS))

    def forward(self, tok):
        h = self.embed(tok)
        return self.head(self.pool(h, tok == 0))


def main(seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    keys = rng.permutation(np.arange(1, WORDS))[:len(TEAMS) * 8].reshape(len(TEAMS), 8)
    train = DataLoader(tickets(6000, rng, keys), batch_size=64, shuffle=True, collate_fn=collate)
    test = DataLoader(tickets(1200, rng, keys), batch_size=16, collate_fn=collate)
    model = Router()
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.01)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, 8e-3, total_steps=8 * len(train))
    for epoch in range(8):
        model.train()
        total = 0.0
        for tok, team in train:
            loss = F.cross_entropy(model(tok), team)
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item()
        model.eval()
        hits = 0
        with torch.no_grad():
            for tok, team in test:
                hits += (model(tok).argmax(1) == team).sum().item()
        print(f"epoch {epoch} | loss {total / len(train):.4f} | test accuracy {hits / 1200:.4f}")
    print(f"accuracy {hits / 1200:.4f}")


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    main(cli.parse_args().seed)
