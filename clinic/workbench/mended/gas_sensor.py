import argparse
import torch
import torch.nn as nn

ap = argparse.ArgumentParser()
ap.add_argument('--seed', type=int, default=0)
seed = ap.parse_args().seed
torch.manual_seed(seed)

# 48 metal-oxide sensors, 5 gases, concentration varies
gases, n = 5, 2500
resp = torch.randn(gases, 48)
gas = torch.randint(0, gases, (n,))
conc = .4 + torch.rand(n, 1)
x = torch.tanh(conc * resp[gas] + .35 * (resp[gas] ** 2) * (conc - .9)) + .8 * torch.randn(n, 48)
x = (x - x.mean(0)) / x.std(0)

model = nn.Sequential(
    nn.Linear(48, 80), nn.Tanh(),
    nn.Linear(80, 80), nn.Tanh(),
    nn.Linear(80, 80), nn.Tanh(),
    nn.Linear(80, 40), nn.Tanh(),
    nn.Linear(40, 5))


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_normal_(m.weight)
        nn.init.zeros_(m.bias)


model.apply(init)
opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
for epoch in range(12):
    for i in torch.randperm(2000).split(20):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x[i]), gas[i])
        loss.backward()
        opt.step()
    with torch.no_grad():
        acc = (model(x[2000:]).argmax(1) == gas[2000:]).float().mean().item()
    print('%2d %.3f %.3f' % (epoch, loss.item(), acc))
print('accuracy', acc)
