# matrix factorization recommender
import argparse
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

n_users, n_items, k = 200, 120, 4
true_u, true_v = rng.normal(size=(n_users, k)), rng.normal(size=(n_items, k))
u = rng.integers(0, n_users, 9000)
v = rng.integers(0, n_items, 9000)
r = (true_u[u] * true_v[v]).sum(1) / 2 + 0.2 * rng.normal(size=9000)
u, v, r = torch.tensor(u), torch.tensor(v), torch.tensor(r, dtype=torch.float32)


class MF(nn.Module):
    def __init__(self, n_users, n_items, n_factors=6):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        nn.init.zeros_(self.user_factors.weight)
        nn.init.zeros_(self.item_factors.weight)

    def forward(self, user, item):
        return (self.user_factors(user) * self.item_factors(item)).sum(1)


model = MF(n_users, n_items)
loss_fn = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(30):
    for b in torch.randperm(8000).split(80):
        optimizer.zero_grad()
        loss = loss_fn(model(u[b], v[b]), r[b])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 0:
        print('epoch', epoch, 'loss', loss.item())

with torch.no_grad():
    p = model(u[8000:], v[8000:])
    t = r[8000:]
    print('r2', round((1 - ((p - t) ** 2).mean() / t.var()).item(), 4))
