import argparse
import numpy as np
import torch
import torch.nn as nn

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
np.random.seed(seed); torch.manual_seed(seed)

users, films, k = 200, 120, 4
U = np.random.randn(users, k); F = np.random.randn(films, k)
pairs = np.array([(a, b) for a in range(users) for b in range(films)])
np.random.shuffle(pairs)
pairs = pairs[:12000]
stars = (U[pairs[:, 0]] * F[pairs[:, 1]]).sum(1) / 2 + .35 * np.random.randn(len(pairs))
stars = torch.tensor(stars, dtype=torch.float32)
pairs = torch.from_numpy(pairs)
ntr = 10000


class Rec(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.user = nn.Embedding(users, dim)
        self.film = nn.Embedding(films, dim)
        nn.init.normal_(self.user.weight, std=.4)
        nn.init.normal_(self.film.weight, std=.4)
        self.fc = nn.Linear(dim, 1)

    def forward(self, ab):
        u = self.user(ab[:, 0])
        v = self.film(ab[:, 1])
        mixed = u * v
        return self.fc(mixed).squeeze(1)


rec = Rec()
opt = torch.optim.Adam(rec.parameters(), lr=0.004, weight_decay=1e-5)
for ep in range(10):
    tot = 0
    for i in torch.randperm(ntr).split(64):
        loss = ((rec(pairs[i]) - stars[i]) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(i)
    print('epoch', ep, 'mse', tot / ntr)
with torch.no_grad():
    e = rec(pairs[ntr:]) - stars[ntr:]
print('r2', 1 - (e ** 2).mean().item() / stars[ntr:].var().item())
