"""One-layer causal attention language model (d_model 48) on text from a tiny grammar."""
import argparse
import math
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

SUBJ = ["the cat", "a small dog", "my uncle", "the quick fox", "one bird", "her neighbour"]
VERB = ["jumps over", "looks at", "eats", "follows", "dreams of", "knows"]
OBJ = ["the lazy wolf", "a yellow box", "zero mice", "the quiet village", "grapes", "my kitchen"]


def corpus(n, rng):
    return " ".join(f"{rng.choice(SUBJ)} {rng.choice(VERB)} {rng.choice(OBJ)}." for _ in range(n))


class CausalAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h = heads
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4)
        att = q @ k.transpose(-1, -2) / math.sqrt(d // self.h)
        att = att.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf"))
        return self.proj((F.softmax(att, dim=-1) @ v).transpose(1, 2).reshape(b, t, d))


class CharLM(nn.Module):
    def __init__(self, vocab, ctx, d=48):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d), nn.Embedding(ctx, d)
        self.ln1, self.attn = nn.LayerNorm(d), CausalAttention(d, 4)
        self.ln2, self.mlp = nn.LayerNorm(d), nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))
        self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, vocab))

    def forward(self, idx):
        x = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        x = x + self.attn(self.ln1(x))
        x = x + self.mlp(self.ln2(x))
        return self.head(x)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--steps", type=int, default=380)
    ap.add_argument("--ctx", type=int, default=32)
    ap.add_argument("--lr", type=float, default=5e-3)
    cfg = ap.parse_args()
    torch.manual_seed(cfg.seed)
    text = corpus(3000, random.Random(cfg.seed))
    chars = sorted(set(text))
    data = torch.tensor([chars.index(c) for c in text])
    train, held = data[:-9000], data[-9000:]

    def batch(src, n):
        i = torch.randint(len(src) - cfg.ctx - 1, (n,))
        w = torch.stack([src[j:j + cfg.ctx + 1] for j in i])
        return w[:, :-1], w[:, 1:]

    model = CharLM(len(chars), cfg.ctx)
    opt = torch.optim.AdamW(model.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, cfg.lr, total_steps=cfg.steps)
    for step in range(cfg.steps):
        x, y = batch(train, 24)
        out = model(x)
        loss = F.cross_entropy(out.reshape(-1, len(chars)), y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 50 == 0:
            print(f"step {step} loss {loss.item():.3f}")
    model.eval()
    with torch.no_grad():
        x, y = batch(held, 256)
        print(f"next_char_accuracy {(model(x).argmax(-1) == y).float().mean():.4f}")


main()
