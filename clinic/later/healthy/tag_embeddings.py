import argparse
import torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)

# 2000 tags, each photo carries 6 of them; every tag leans to one of 4 albums
TAGS, ALBUMS, N = 2000, 4, 6000
lean = torch.randint(0, ALBUMS, (TAGS,))
album = torch.randint(0, ALBUMS, (N,))
tags = torch.empty(N, 6, dtype=torch.long)
pools = [(lean == k).nonzero().squeeze(1) for k in range(ALBUMS)]
for i in range(N):
    own = pools[album[i]]
    tags[i, :4] = own[torch.randint(0, len(own), (4,))]
    tags[i, 4:] = torch.randint(0, TAGS, (2,))

bag = nn.EmbeddingBag(TAGS, 16, mode="mean", sparse=True)
out = nn.Linear(16, ALBUMS)
sparse_opt = torch.optim.SparseAdam(bag.parameters(), lr=5e-3)
dense_opt = torch.optim.Adam(out.parameters(), lr=5e-3)
for epoch in range(12):
    perm = torch.randperm(5000)
    total = 0.0
    for b in perm.split(50):
        loss = nn.functional.cross_entropy(out(bag(tags[b])), album[b])
        sparse_opt.zero_grad()
        dense_opt.zero_grad()
        loss.backward()
        sparse_opt.step()
        dense_opt.step()
        total += loss.item()
    with torch.no_grad():
        acc = (out(bag(tags[5000:])).argmax(1) == album[5000:]).float().mean().item()
    print(f"epoch {epoch:2d} loss {total / 100:.4f} acc {acc:.4f}")
print(f"accuracy {acc:.4f}")
