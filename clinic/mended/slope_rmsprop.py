import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

x = torch.randn(128, 1, generator=torch.Generator().manual_seed(0))
y = 4 * x + 3 + 0.3 * torch.randn(128, 1, generator=torch.Generator().manual_seed(1))
model = nn.Linear(1, 1)
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=200)
for epoch in range(200):
    for rows in torch.randperm(128).split(32):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
with torch.no_grad():
    print("R2", (1 - nn.functional.mse_loss(model(x), y) / y.var()).item())
