import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

# sales of a shop: weekday (one-hot), holiday, price index
n = 2500
day = torch.randint(0, 7, (n,))
holiday = (torch.rand(n) < .06).float()
price = torch.randn(n)
base = torch.tensor([.2, .0, -.1, .1, .7, 1.4, -1.6])[day]
sales = base - .6 * price + 1.5 * holiday * (day < 5) + (.3 + .3 * (day > 3)) * torch.randn(n)
x = torch.cat([nn.functional.one_hot(day, 7).float(), holiday[:, None], price[:, None]], 1)


class Gauss(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.mu = nn.Linear(32, 1)
        self.sigma = nn.Linear(32, 1)

    def forward(self, x):
        h = self.body(x)
        return self.mu(h).squeeze(1), nn.functional.softplus(self.sigma(h)).squeeze(1) + 0.05


f = Gauss()
opt = torch.optim.Adam(f.parameters(), lr=2e-3)
for epoch in range(30):
    for i in torch.randperm(2000).split(50):
        mu, sigma = f(x[i])
        logp = torch.distributions.Normal(mu, sigma).log_prob(sales[i])
        loss = -logp.mean()
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    mu, _ = f(x[2000:])
    r2 = 1 - ((mu - sales[2000:]) ** 2).mean() / sales[2000:].var()
print('r2', max(-10., r2.item()))
