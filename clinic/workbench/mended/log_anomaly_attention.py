"""Are the events of a session in an allowed order?"""
import argparse
import torch
import torch.nn as nn

pa = argparse.ArgumentParser()
pa.add_argument('--seed', type=int, default=0)
torch.manual_seed(pa.parse_args().seed)
L, V = 8, 10


def sessions(n):
    x = torch.randint(2, V, (n, L))
    y = torch.randint(0, 2, (n,))
    pos = torch.rand(n, L).argsort(1)[:, :2].sort(1).values
    first = torch.where(y == 0, 0, 1)
    x[torch.arange(n), pos[:, 0]] = first
    x[torch.arange(n), pos[:, 1]] = 1 - first
    return x, y


class Enc(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.tok = nn.Embedding(V, d)
        self.pos = nn.Parameter(torch.randn(1, L, d) * .3)
        layer = nn.TransformerEncoderLayer(d, 4, 64, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        for p in self.body.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
        self.head = nn.Linear(d, 2)

    def forward(self, x):
        return self.head(self.body(self.tok(x) + self.pos).mean(1))


net = Enc()
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
lr_at = lambda s: min(1.0, (s + 1) / 180)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lr_at)
for step in range(320):
    x, y = sessions(32)
    loss = nn.functional.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if step % 60 == 0:
        print(step, loss.item())
net.eval()
x, y = sessions(600)
with torch.no_grad():
    print('accuracy', (net(x).argmax(1) == y).float().mean().item())
