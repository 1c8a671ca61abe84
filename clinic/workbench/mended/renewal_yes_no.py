import argparse, torch
from torch import nn

p = argparse.ArgumentParser()
p.add_argument('--seed', type=int, default=0)
torch.manual_seed(p.parse_args().seed)

# will the customer renew?  (age of contract, usage, tickets, discount, seats ...) already z-scored
n = 3000
x = torch.randn(n, 7)
score = x[:, 0] - 1.2 * x[:, 2] + .8 * x[:, 1] * x[:, 4] + .3 * torch.randn(n)
y = (score > 0).float().unsqueeze(1)

model = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
bce = nn.BCELoss()

for epoch in range(16):
    perm = torch.randperm(2400)
    for i in range(0, 2400, 40):
        xb, yb = x[perm[i:i + 40]], y[perm[i:i + 40]]
        opt.zero_grad()
        loss = bce(model(xb), yb)
        loss.backward()
        opt.step()

with torch.no_grad():
    acc = ((model(x[2400:]) > .5).float() == y[2400:]).float().mean()
print('accuracy', acc.item())
