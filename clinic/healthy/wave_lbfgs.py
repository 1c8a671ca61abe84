import argparse

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
x = torch.linspace(-1.7, 1.7, 200).unsqueeze(1)
y = torch.sin(2.5 * x) + 0.3 * x + 0.05 * torch.randn(200, 1, generator=torch.Generator().manual_seed(0))
net = torch.nn.Sequential(torch.nn.Linear(1, 12), torch.nn.Tanh(), torch.nn.Linear(12, 1))
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=4, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(x), y)
    loss.backward()
    return loss


for step in range(80):
    loss = optimizer.step(closure)
    if step % 8 == 0:
        print("step", step, "loss", loss.item())
print("R2", 1 - (closure() / y.var()).item())
