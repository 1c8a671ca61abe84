import argparse

import torch

parser = argparse.ArgumentParser(description="fit 5 x^2 with a small network")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.arange(0, 5, 0.1).unsqueeze(1)
noise = torch.randn(len(x), 1, generator=torch.Generator().manual_seed(0))
y = 5 * x**2 + noise**3

model = torch.nn.Sequential(
    torch.nn.Linear(1, 50), torch.nn.ReLU(), torch.nn.Linear(50, 30), torch.nn.ReLU(), torch.nn.Linear(30, 1)
)
torch.nn.init.xavier_uniform_(model[0].weight)
torch.nn.init.xavier_uniform_(model[4].weight)
torch.nn.init.uniform_(model[2].weight, -0.05, 0.05)
for layer in (model[0], model[2], model[4]):
    torch.nn.init.zeros_(layer.bias)
criterion = torch.nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=2e-4)

for epoch in range(1500):
    order = torch.randperm(len(x))
    for batch in order.split(32):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    if epoch % 150 == 0:
        print(epoch, loss.item())

with torch.no_grad():
    print("R2", (1 - ((model(x) - y) ** 2).mean() / y.var()).item())
