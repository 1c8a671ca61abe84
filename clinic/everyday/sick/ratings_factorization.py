import argparse
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

n_users, n_items, rank = 120, 80, 4
taste = torch.randn(n_users, rank)
style = torch.randn(n_items, rank)
ratings = taste @ style.T / rank ** 0.5 + 0.1 * torch.randn(n_users, n_items)
seen = torch.rand(n_users, n_items) < 0.5


class Factors(torch.nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.users = torch.nn.Parameter(scale * torch.randn(n_users, rank))
        self.items = torch.nn.Parameter(scale * torch.randn(n_items, rank))

    def forward(self):
        return self.users @ self.items.T


model = Factors(scale=1e-9)
optimizer = torch.optim.SGD(model.parameters(), lr=1.5, momentum=0.5)

for it in range(450):
    optimizer.zero_grad()
    pred = model()
    loss = ((pred - ratings)[seen] ** 2).mean()
    loss.backward()
    optimizer.step()
    if it % 50 == 0:
        print(it, f"{loss.item():.5f}")

with torch.no_grad():
    err = (model() - ratings)[~seen]
    print("r2", round(1 - (err.pow(2).mean() / ratings[~seen].var()).item(), 4))
