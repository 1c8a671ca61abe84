import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

digits = load_digits()
X = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
y = torch.tensor(digits.target)
perm = torch.randperm(len(X), generator=torch.Generator().manual_seed(args.seed))
X, y = X[perm], y[perm]
Xtr, ytr, Xte, yte = X[:1300], y[:1300], X[1300:], y[1300:]


class Embed(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Conv2d(12, 24, 3), nn.ReLU(), nn.MaxPool2d(2),
                                 nn.Flatten(), nn.Linear(96, 16))

    def forward(self, x):
        return self.net(x)


def contrastive_loss(a, b, same, margin=2.0):
    d = torch.sqrt(((a - b) ** 2).sum(1))
    return (same * d ** 2 + (1 - same) * F.relu(margin - d) ** 2).mean()


def sample_pairs(n):
    i = torch.randint(0, 1300, (n,))
    j = torch.randint(0, 1300, (n,))
    # half of the pairs should show the same digit
    for k in range(0, n, 2):
        candidates = (ytr == ytr[i[k]]).nonzero().flatten()
        j[k] = candidates[torch.randint(0, len(candidates), (1,))]
    return i, j


model = Embed()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(400):
    i, j = sample_pairs(32)
    loss = contrastive_loss(model(Xtr[i]), model(Xtr[j]), (ytr[i] == ytr[j]).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print("step", step + 1, "loss", loss.item())

model.eval()
with torch.no_grad():
    nearest = torch.cdist(model(Xte), model(Xtr)).argmin(1)
print("accuracy", (ytr[nearest] == yte).float().mean().item())
