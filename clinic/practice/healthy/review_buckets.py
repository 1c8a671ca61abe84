"""Review sentiment with a one-layer encoder. Batches hold reviews of like length; warm-up then cosine."""
import argparse
import math

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Sampler

VOCAB, DIM, MAXLEN = 200, 24, 20


class LengthBuckets(Sampler):
    def __init__(self, lengths, batch, g):
        self.lengths, self.batch, self.g = np.asarray(lengths), batch, g

    def __iter__(self):
        order = np.argsort(self.lengths + self.g.uniform(0, 2, len(self.lengths)))
        blocks = np.array_split(order, math.ceil(len(order) / self.batch))
        return iter([blocks[i].tolist() for i in self.g.permutation(len(blocks))])

    def __len__(self):
        return math.ceil(len(self.lengths) / self.batch)


def reviews(n, g):
    out = []
    for _ in range(n):
        length = int(g.integers(6, MAXLEN + 1))
        w = g.integers(41, VOCAB, length)
        k = int(g.choice([1, 3, 5]))
        where = g.choice(length - 1, k, replace=False)
        tone = g.integers(1, 41, k)
        w[where] = tone
        s = np.where(tone <= 20, 1, -1)
        y = s.sum() + 0.6 * g.normal() > 0
        out.append((torch.from_numpy(w), float(y)))
    return out


def collate(rows):
    t, y = zip(*rows)
    return pad_sequence(t, batch_first=True), torch.tensor(y)


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, DIM, padding_idx=0)
        pos = torch.arange(MAXLEN)[:, None] / 10000 ** (torch.arange(0, DIM, 2) / DIM)
        self.register_buffer("pos", 0.1 * torch.stack([pos.sin(), pos.cos()], -1).flatten(1))
        self.layer = nn.TransformerEncoderLayer(DIM, 2, 32, dropout=0.0, batch_first=True, norm_first=True)
        self.norm = nn.LayerNorm(DIM)
        self.out = nn.Linear(DIM, 1)

    def forward(self, t):
        pad = t == 0
        h = self.embed(t) + self.pos[:t.shape[1]]
        h = self.norm(self.layer(h, src_key_padding_mask=pad))
        keep = (~pad).float().unsqueeze(-1)
        return self.out((h * keep).sum(1) / keep.sum(1)).squeeze(1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    g = np.random.default_rng(seed)
    rows, held = reviews(6000, g), reviews(1200, g)
    train = DataLoader(rows, batch_sampler=LengthBuckets([len(r[0]) for r in rows], 64, g), collate_fn=collate)
    test = DataLoader(held, batch_size=300, collate_fn=collate)
    model = Sentiment()
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    epochs, warm = 6, 60
    total = epochs * len(train)
    sched = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: min(1, (s + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1, s / total))))
    for e in range(epochs):
        model.train()
        acc = []
        for t, y in train:
            loss = nn.functional.binary_cross_entropy_with_logits(model(t), y)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            opt.step()
            sched.step()
            acc.append(loss.item())
        model.eval()
        with torch.no_grad():
            hit = torch.cat([((model(t) > 0) == (y > 0.5)) for t, y in test]).float().mean().item()
        print(f"epoch {e} loss {np.mean(acc):.4f} accuracy {hit:.4f}")
    print(f"accuracy {hit:.4f}")


if __name__ == "__main__":
    main()
