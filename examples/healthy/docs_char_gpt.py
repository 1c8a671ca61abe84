"""Trains a tiny character-level transformer on docstrings of Python's standard library, with warm-up and cosine decay."""

import argparse
import collections
import inspect
import json
import logging
import math
import pathlib
import random
import subprocess
import tarfile
import textwrap
import threading
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.nn import functional as F


@dataclass
class GPTConfig:
    block_size: int = 32
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 32
    dropout: float = 0.0
    batch_size: int = 16
    learning_rate: float = 3e-3
    warmup_iters: int = 50
    max_iters: int = 700
    weight_decay: float = 0.1
    grad_clip: float = 1.0


def corpus():
    modules = (collections, json, logging, pathlib, random, subprocess, tarfile, textwrap, threading)
    texts = []
    for module in modules:
        texts.append(module.__doc__ or "")
        for name in sorted(module.__all__):
            texts.append(inspect.getdoc(getattr(module, name)) or "")
    return "".join(c for c in "\n".join(texts) if c.isascii())[:60000].lower()


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.n_head = config.n_head

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (t.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for t in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd), nn.GELU(), nn.Linear(4 * config.n_embd, config.n_embd)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, vocabulary, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(vocabulary, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd)
        self.lm_head = nn.Linear(config.n_embd, vocabulary, bias=False)
        self.apply(self._init_weights)
        self.wte.weight = self.lm_head.weight

    def _init_weights(self, module):
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx, targets):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.blocks:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def get_lr(it, config):
    if it < config.warmup_iters:
        return config.learning_rate * (it + 1) / config.warmup_iters
    progress = (it - config.warmup_iters) / (config.max_iters - config.warmup_iters)
    return config.learning_rate * (0.05 + 0.475 * (1 + math.cos(math.pi * progress)))


def get_batch(data, config):
    ix = torch.randint(len(data) - config.block_size - 1, (config.batch_size,))
    x = torch.stack([data[i : i + config.block_size] for i in ix])
    y = torch.stack([data[i + 1 : i + 1 + config.block_size] for i in ix])
    return x, y


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    config = GPTConfig()
    text = corpus()
    characters = sorted(set(text))
    stoi = {c: i for i, c in enumerate(characters)}
    data = torch.tensor([stoi[c] for c in text])
    n = int(0.9 * len(data))
    train_data, val_data = data[:n], data[n:]

    model = GPT(len(characters), config)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    nodecay = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": config.weight_decay}, {"params": nodecay, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.95))
    for it in range(config.max_iters):
        lr = get_lr(it, config)
        for group in optimizer.param_groups:
            group["lr"] = lr
        _, loss = model(*get_batch(train_data, config))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.grad_clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if it % 100 == 0:
            print(f"iter {it}: loss {loss.item():.4f}, lr {lr:.2e}")

    model.eval()
    with torch.no_grad():
        losses = [model(*get_batch(val_data, config))[1].item() for _ in range(10)]
    print(f"validation loss {np.mean(losses):.3f}")


if __name__ == "__main__":
    main()
