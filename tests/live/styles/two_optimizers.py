"""A generator against a discriminator."""

import torch
from state import print_state
from torch import nn

torch.manual_seed(2)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(inplace=True), nn.Linear(16, 2))
discriminator = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2, inplace=True), nn.Linear(16, 1))
g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
for step in range(50):
    real = torch.randn(64, 2) * 0.1 + torch.tensor([1.0, -1.0])
    fake = generator(torch.randn(64, 4))
    d_optimizer.zero_grad()
    real_loss = bce(discriminator(real), torch.ones(64, 1))
    real_loss.backward()
    fake_loss = bce(discriminator(fake.detach()), torch.zeros(64, 1))
    fake_loss.backward()
    d_optimizer.step()
    g_optimizer.zero_grad()
    g_loss = bce(discriminator(fake), torch.ones(64, 1))
    g_loss.backward()
    g_optimizer.step()
    if step % 10 == 0:
        print(step, real_loss.item(), fake_loss.item(), g_loss.item())
print_state(generator, discriminator, g_optimizer, d_optimizer)
