# Graph convolution on a stochastic block model with noisy node features.
import argparse
import torch
from torch import nn
import torch.nn.functional as F


def make_graph(n=600, k=4, p_in=0.05, p_out=0.006, feats=16, g=None):
    y = torch.randint(k, (n,), generator=g)
    prob = torch.where(y[:, None] == y[None, :], p_in, p_out)
    upper = (torch.rand(n, n, generator=g) < prob).float().triu(1)
    adj = upper + upper.T
    centres = torch.randn(k, feats, generator=g)
    x = 0.5 * centres[y] + torch.randn(n, feats, generator=g)
    return x, adj, y


def normalized(adj):
    a = adj + torch.eye(len(adj))
    d = a.sum(1).rsqrt()
    return (d[:, None] * a * d[None, :]).to_sparse()


class GraphConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(i, o))
        self.bias = nn.Parameter(torch.zeros(o))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, a):
        return torch.sparse.mm(a, x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, feats, hidden, classes, p=0.3):
        super().__init__()
        self.c1, self.c2, self.p = GraphConv(feats, hidden), GraphConv(hidden, classes), p

    def forward(self, x, a):
        h = F.dropout(F.relu(self.c1(x, a)), self.p, self.training)
        return F.log_softmax(self.c2(h, a), dim=1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=250)
args = parser.parse_args()
torch.manual_seed(args.seed)
x, adj, y = make_graph(g=torch.Generator().manual_seed(args.seed))
a = normalized(adj)
perm = torch.randperm(len(y))
train, test = perm[:80], perm[200:]
net = GCN(x.size(1), 32, 4)
opt = torch.optim.Adam([{"params": net.c1.parameters(), "weight_decay": 5e-4}, {"params": net.c2.parameters()}], lr=0.01)
for epoch in range(args.epochs):
    net.train()
    opt.zero_grad()
    loss = F.nll_loss(net(x, a)[train], y[train])
    loss.backward()
    opt.step()
    if epoch % 50 == 0:
        print(f"epoch {epoch:3d} loss {loss.item():.4f}")
net.eval()
with torch.no_grad():
    acc = (net(x, a).argmax(1)[test] == y[test]).float().mean().item()
print(f"test_accuracy {acc:.4f}")
