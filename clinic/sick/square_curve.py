import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.linspace(-10, 10, 201).unsqueeze(1)
y = x**2 + 3
x = x / 5.8

model = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Sigmoid(), torch.nn.Linear(8, 1), torch.nn.Sigmoid())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for step in range(3000):
    prediction = model(x)
    loss = torch.nn.functional.mse_loss(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 300 == 0:
        print("step", step, "loss", loss.item())
with torch.no_grad():
    r2 = 1 - ((model(x) - y) ** 2).mean() / y.var()
print("R2", r2.item())
