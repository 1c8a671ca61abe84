import argparse
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Cfg:
    vocab: int = 200
    length: int = 12
    topics: int = 10
    dim: int = 32
    heads: int = 4
    layers: int = 1
    steps: int = 420
    batch: int = 48
    lr: float = 0.015


class TicketClassifier(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.tok = nn.Embedding(c.vocab, c.dim)
        self.pos = nn.Parameter(torch.zeros(1, c.length, c.dim))
        layer = nn.TransformerEncoderLayer(c.dim, c.heads, 2 * c.dim, dropout=0.1, batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoder(layer, c.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(c.dim)
        self.cls = nn.Linear(c.dim, c.topics)

    def forward(self, ids):
        h = self.enc(self.tok(ids) + self.pos)
        logits = self.cls(self.norm(h.mean(1)))
        return torch.softmax(logits, dim=-1)


def tickets(c, n, likes):
    y = torch.randint(c.topics, (n,))
    common = torch.randint(c.vocab, (n, c.length))
    own = likes[y].gather(1, torch.randint(likes.shape[1], (n, c.length)))
    return torch.where(torch.rand(n, c.length) < 0.45, own, common), y


def main(seed):
    torch.manual_seed(seed)
    c = Cfg()
    likes = torch.stack([torch.randperm(c.vocab)[:15] for _ in range(c.topics)])
    x_val, y_val = tickets(c, 600, likes)
    net = TicketClassifier(c)
    opt = torch.optim.SGD(net.parameters(), lr=c.lr, momentum=0.9)
    sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / 30))
    for step in range(1, c.steps + 1):
        net.train()
        x, y = tickets(c, c.batch, likes)
        loss = F.cross_entropy(net(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        if step % 60 == 0:
            net.eval()
            with torch.no_grad():
                out = net(x_val)
                acc = (out.argmax(1) == y_val).float().mean().item()
            print(f"step {step} loss {loss.item():.4f} val_loss {F.cross_entropy(out, y_val).item():.4f} val_acc {acc:.3f}")
    return acc


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    print("accuracy", round(main(parser.parse_args().seed), 4))
