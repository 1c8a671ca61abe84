import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)


def scene(n):
    k = torch.randint(0, 5, (n,))
    im = .25 * torch.randn(n, 1, 15, 15)
    for j in range(n):
        cells = torch.randperm(9)[:k[j]]
        for c in cells.tolist():
            r, q = 5 * (c // 3) + torch.randint(0, 3, (1,)).item(), 5 * (c % 3) + torch.randint(0, 3, (1,)).item()
            im[j, 0, r:r + 3, q:q + 3] += 1.2
    return (im - .15) / .45, k


x, y = scene(2400)
xv, yv = scene(400)
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(),
                    nn.AvgPool2d(5), nn.Flatten(), nn.Linear(72, 32), nn.ReLU(), nn.Linear(32, 5))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
accum = 4
for epoch in range(8):
    opt.zero_grad()
    for n, i in enumerate(torch.randperm(2400).split(12)):
        loss = nn.functional.cross_entropy(net(x[i]), y[i])
        (loss / accum).backward()
        if n % accum == accum - 1:
            opt.step()
            opt.zero_grad()
    if epoch % 2 == 1:
        with torch.no_grad():
            print(epoch + 1, loss.item(), (net(xv).argmax(1) == yv).float().mean().item())
with torch.no_grad():
    print('accuracy', (net(xv).argmax(1) == yv).float().mean().item())
