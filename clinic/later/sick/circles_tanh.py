import argparse
import torch
import torch.nn as nn
from sklearn.datasets import make_circles

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

X, y = make_circles(600, noise=0.08, factor=0.5, random_state=args.seed)
X = torch.tensor(X, dtype=torch.float)
y = torch.tensor(y, dtype=torch.float).view(-1, 1)


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.constant_(m.weight, 0.1)
        nn.init.zeros_(m.bias)


model = nn.Sequential(
    nn.Linear(2, 16),
    nn.Tanh(),
    nn.Linear(16, 16),
    nn.Tanh(),
    nn.Linear(16, 1),
)
model.apply(weights_init)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for it in range(1, 1501):
    batch = torch.randint(0, 450, (64,))
    loss = criterion(model(X[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 150 == 0:
        print("iteration", it, "loss", loss.item())

acc = ((model(X[450:]) > 0).float() == y[450:]).float().mean()
print("accuracy", acc.item())
