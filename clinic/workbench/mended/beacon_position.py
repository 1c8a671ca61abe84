"""Where is the beacon?  Fit of a bell curve to the strengths measured at the posts of a hall."""
import argparse
import torch

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

grid = torch.rand(900, 2) * torch.tensor([50.0, 30.0])
true = torch.tensor([14.0, 21.0]) + 2 * torch.randn(2)
s = torch.exp(-((grid - true) ** 2).sum(1) / (2 * 2.5 ** 2)) + 1e-4 * torch.rand(900)

pos = (grid * s[:, None]).sum(0).div(s.sum()).clone().requires_grad_(True)
log_width = torch.tensor(1.0, requires_grad=True)
opt = torch.optim.SGD([pos, log_width], lr=1.0, momentum=0.9)
for step in range(3000):
    d2 = ((grid - pos) ** 2).sum(1)
    model = torch.exp(-d2 / (2 * torch.exp(log_width) ** 2))
    loss = ((model - s) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 500 == 0:
        print(step, loss.item(), pos.tolist())

print('closeness', 1 / (1 + (pos.detach() - true).norm().item()))
