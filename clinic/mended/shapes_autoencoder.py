# compress 12 x 12 pictures of a blurred spot into six numbers
import argparse

import torch
from torch import nn


def spots(n, generator):
    axis = torch.linspace(-1, 1, 12)
    cx, cy = torch.rand(2, n, 1, 1, generator=generator) * 1.2 - 0.6
    size = 0.25 + 0.3 * torch.rand(n, 1, 1, generator=generator)
    return torch.exp(-((axis[None, None] - cx) ** 2 + (axis[None, :, None] - cy) ** 2) / (2 * size**2)).flatten(1)


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
generator = torch.Generator().manual_seed(1)
images, test = spots(2000, generator), spots(400, generator)
mean = images.mean()
images, test = (images - mean) / images.std(), (test - mean) / images.std()

encoder = nn.Sequential(nn.Linear(144, 48), nn.ReLU(), nn.Linear(48, 6))
decoder = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 144))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
for step in range(400):
    rows = torch.randint(0, 2000, (64,))
    loss = nn.functional.mse_loss(decoder(encoder(images[rows])), images[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 50 == 0:
        print("step", step, "loss", loss.item())
with torch.no_grad():
    print("R2", (1 - (decoder(encoder(test)) - test).pow(2).mean() / test.var()).item())
