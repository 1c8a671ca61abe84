# how many spare parts will a machine need next quarter (log of it)
import argparse
import torch

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
torch.manual_seed(ap.parse_args().seed)

n = 3500
f = torch.randn(n, 6)
t = .8 * torch.tanh(f[:, 0] + f[:, 1]) + .5 * f[:, 2] * (f[:, 3] > 0).float() - .3 * f[:, 4] + .15 * torch.randn(n)
t = ((t - t.mean()) / t.std()).view(-1, 1)
train_f, train_t, test_f, test_t = f[:3000], t[:3000], f[3000:], t[3000:]

net = torch.nn.Sequential(
    torch.nn.Linear(6, 40), torch.nn.Tanh(),
    torch.nn.Linear(40, 40), torch.nn.Tanh(),
    torch.nn.Linear(40, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
huber = torch.nn.SmoothL1Loss()
for epoch in range(25):
    for i in torch.randperm(3000).split(50):
        optimizer.zero_grad()
        loss = huber(net(train_f[i]), train_t[i])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            print('epoch', epoch + 1, 'test', huber(net(test_f), test_t).item())

with torch.no_grad():
    d = net(test_f) - test_t
print('r2', max(-20.0, 1 - (d * d).mean().item() / test_t.var().item()))
