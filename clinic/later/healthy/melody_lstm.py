# next note of simple tunes, LSTM; the gradient is clipped as in every recipe for recurrent nets
import argparse
import numpy as np
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
seed = p.parse_args().seed
rng = np.random.default_rng(seed)
torch.manual_seed(seed)
SCALE = 12


def tune(length=17):
    start, step = rng.integers(0, SCALE), rng.choice([1, 2, 3])
    up, n, notes = 1, start, []
    for i in range(length):
        notes.append(n % SCALE)
        if i % 4 == 3:
            up = -up
        n += step * up
        if rng.random() < 0.04:
            n += 1
    return notes


data = torch.tensor(np.array([tune() for _ in range(1200)]))
train, test = data[:1000], data[1000:]


class Tunes(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(SCALE, 16)
        self.lstm = nn.LSTM(16, 40, batch_first=True)
        self.out = nn.Linear(40, SCALE)

    def forward(self, x):
        return self.out(self.lstm(self.emb(x))[0])


net = Tunes()
opt = torch.optim.Adam(net.parameters(), lr=1.2e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 20)
for epoch in range(20):
    s = 0.0
    for b in torch.randperm(1000).split(40):
        logits = net(train[b, :-1])
        loss = nn.functional.cross_entropy(logits.reshape(-1, SCALE), train[b, 1:].reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        opt.step()
        s += loss.item()
    sched.step()
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} loss {s / 25:.4f}")
with torch.no_grad():
    hit = (net(test[:, :-1]).argmax(2) == test[:, 1:])[:, 4:].float().mean().item()
print(f"next_note_accuracy {hit:.4f}")
