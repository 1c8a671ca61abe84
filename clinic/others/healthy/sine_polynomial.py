# PyTorch with examples: fit sin with a cubic, sum of squares, tiny learning rate
import argparse
import math
import torch

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

x = torch.linspace(-1, 1, 500)
y = torch.sin(math.pi * x)
p = torch.tensor([1, 2, 3])
xx = x.unsqueeze(-1).pow(p)

model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
loss_fn = torch.nn.MSELoss(reduction='sum')
learning_rate = 1e-3

for t in range(5000):
    y_pred = model(xx)
    loss = loss_fn(y_pred, y)
    if t % 500 == 499:
        print(t, loss.item())
    model.zero_grad()
    loss.backward()
    with torch.no_grad():
        for param in model.parameters():
            param -= learning_rate * param.grad

r2 = 1 - ((model(xx) - y) ** 2).mean() / y.var()
print('r2', round(r2.item(), 4))
