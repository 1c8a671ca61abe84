import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F

# which of the five tokens occurs most often in the sentence?
VOCAB, LENGTH, CLASSES = 12, 16, 5


def make(n, g):
    x = torch.randint(0, VOCAB, (n, LENGTH), generator=g)
    winner = torch.randint(0, CLASSES, (n,), generator=g)
    mask = torch.rand(n, LENGTH, generator=g) < 0.35
    x = torch.where(mask, winner[:, None], x)
    counts = torch.stack([(x == c).sum(1) for c in range(CLASSES)], 1)
    return x, counts.argmax(1)


class SelfAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.h = heads
        self.qkv = nn.Linear(d, 3 * d)
        self.proj = nn.Linear(d, d)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4)
        att = F.softmax(q @ k.transpose(-2, -1) / (d // self.h) ** 0.5, dim=-1)
        return self.proj((att @ v).transpose(1, 2).reshape(b, t, d))


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.att = SelfAttention(d, 2)
        self.ff = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))

    def forward(self, x):
        x = x + self.att(self.n1(x))
        return x + self.ff(self.n2(x))


class TinyTransformer(nn.Module):
    def __init__(self, d=24):
        super().__init__()
        self.tok = nn.Embedding(VOCAB, d)
        self.pos = nn.Parameter(torch.zeros(1, LENGTH, d))
        self.blocks = nn.Sequential(Block(d), Block(d))
        self.head = nn.Linear(d, CLASSES)

    def forward(self, x):
        return self.head(self.blocks(self.tok(x) + self.pos).mean(1))


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--lr", type=float, default=3e-3)
args = parser.parse_args()
torch.manual_seed(args.seed)
g = torch.Generator().manual_seed(args.seed)
X, Y = make(1600, g)
Xv, Yv = make(500, g)
net = TinyTransformer()
opt = torch.optim.Adam(net.parameters(), lr=args.lr)
for epoch in range(7):
    for i in torch.randperm(len(X)).split(32):
        loss = F.cross_entropy(net(X[i]), Y[i])
        opt.zero_grad(); loss.backward(); opt.step()
    with torch.no_grad():
        print(f"epoch {epoch} train {loss.item():.3f} val {F.cross_entropy(net(Xv), Yv).item():.3f}")
with torch.no_grad():
    print(f"accuracy {(net(Xv).argmax(1) == Yv).float().mean().item():.3f}")
