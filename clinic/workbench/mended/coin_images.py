import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser(); ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)
S = 12
yy, xx = torch.meshgrid(torch.arange(S).float(), torch.arange(S).float(), indexing='ij')


def coins(n):
    k = torch.randint(0, 4, (n,))
    c = 5.5 + torch.randn(n, 2) * .5
    d = ((yy - c[:, 0, None, None]) ** 2 + (xx - c[:, 1, None, None]) ** 2).sqrt()
    rad = torch.tensor([3.2, 4.0, 4.8, 4.0])[k][:, None, None]
    im = torch.sigmoid((rad - d) * 3)
    hole = torch.sigmoid((1.5 - d) * 3) * (k == 3)[:, None, None]
    im = im - hole + .35 * torch.randn(n, S, S)
    return ((im - .35) / .6).unsqueeze(1), k


x, y = coins(1600)
xv, yv = coins(500)
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 4))
epochs, per = 8, 40
opt = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.03, total_steps=epochs * per, div_factor=300, cycle_momentum=False)

for epoch in range(epochs):
    for b in torch.randperm(1600).split(40):
        loss = nn.functional.cross_entropy(net(x[b]), y[b])
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
    print('epoch %d: loss %.4f' % (epoch, loss.item()))
with torch.no_grad():
    print('accuracy', (net(xv).argmax(1) == yv).float().mean().item())
