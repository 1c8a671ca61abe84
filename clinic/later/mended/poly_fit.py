# fit y = sin(x) with a polynomial, as in the first PyTorch tutorial
import argparse
import math
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

x = torch.linspace(-math.pi, math.pi, 1000)
y = torch.sin(x) + 0.05 * torch.randn(1000)
p = torch.tensor([1, 2, 3, 4, 5])
xx = x.unsqueeze(-1).pow(p)
xx = (xx - xx.mean(0)) / xx.std(0)

model = torch.nn.Sequential(torch.nn.Linear(5, 1), torch.nn.Flatten(0, 1))
loss_fn = torch.nn.MSELoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for t in range(2000):
    y_pred = model(xx)
    loss = loss_fn(y_pred, y)
    if t % 200 == 199:
        print(t, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    print("r2", 1 - (loss_fn(model(xx), y) / y.var()).item())
