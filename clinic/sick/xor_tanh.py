import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
y = torch.tensor([[-1.0], [1.0], [1.0], [-1.0]])

net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
for p in net.parameters():
    torch.nn.init.zeros_(p)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(2000):
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        print("step", step, "loss", loss.item())
print("R2", 1 - torch.nn.functional.mse_loss(net(x), y).item())
