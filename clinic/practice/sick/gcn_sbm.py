# Kipf & Welling style GCN on a stochastic block model with bag-of-words node features.
import argparse
import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
ap.add_argument('--hidden', type=int, default=8)
ap.add_argument('--epochs', type=int, default=200)
ap.add_argument('--lr', type=float, default=0.01)
ap.add_argument('--wd', type=float, default=5e-4)
args = ap.parse_args()
torch.manual_seed(args.seed)
rng = np.random.RandomState(args.seed)


def block_model(n=1800, k=6, vocab=200, p_in=0.016, p_out=0.003):
    z = rng.randint(k, size=n)
    same = z[:, None] == z[None, :]
    upper = np.triu(rng.rand(n, n) < np.where(same, p_in, p_out), 1)
    a = sp.csr_matrix((upper + upper.T).astype(np.float32))
    topic = rng.dirichlet(np.full(vocab, 0.6), size=k)
    words = np.stack([rng.multinomial(25, 0.6 * topic[c] + 0.4 / vocab) for c in z])
    x = (words > 0).astype(np.float32)
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    return a, x, z


def sym_norm(a):
    a = a + sp.eye(a.shape[0], dtype=np.float32)
    d = sp.diags(np.asarray(a.sum(1)).ravel() ** -0.5)
    return (d @ a @ d).tocsr().astype(np.float32)


a, feats, z = block_model()
ahat = sym_norm(a)


def propagate(h):
    return torch.from_numpy(ahat @ h.detach().numpy())


class GCN(nn.Module):
    def __init__(self, fin, hid, ncls):
        super().__init__()
        self.w1 = nn.Linear(fin, hid)
        self.w2 = nn.Linear(hid, ncls)

    def forward(self, x):
        h = F.relu(propagate(self.w1(x)))
        return self.w2(propagate(h))


x = torch.from_numpy(feats)
y = torch.from_numpy(z).long()
perm = torch.from_numpy(rng.permutation(len(z)))
tr, te = perm[:1200], perm[1200:]
net = GCN(x.shape[1], args.hidden, int(y.max()) + 1)
opt = torch.optim.Adam(net.parameters(), lr=args.lr, weight_decay=args.wd)
for ep in range(args.epochs):
    opt.zero_grad()
    loss = F.cross_entropy(net(x)[tr], y[tr])
    loss.backward()
    opt.step()
    if ep % 25 == 0:
        print('epoch', ep, 'loss', round(loss.item(), 4))
with torch.no_grad():
    pred = net(x).argmax(1)
print('accuracy', round((pred[te] == y[te]).float().mean().item(), 4))
