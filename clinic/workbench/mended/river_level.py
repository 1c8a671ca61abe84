import argparse
import torch
import torch.nn as nn

a = argparse.ArgumentParser()
a.add_argument('--seed', type=int, default=0)
torch.manual_seed(a.parse_args().seed)

T, W = 3000, 14
rain = torch.relu(torch.randn(T) - .8) * 2
level = torch.zeros(T)
soil = 0.
for t in range(1, T):
    soil = .9 * soil + .1 * rain[t].item()
    level[t] = .85 * level[t - 1] + .25 * rain[t - 1] * (.4 + 2 * soil)
level = level + .02 * torch.randn(T)
rain = (rain - rain.mean()) / rain.std()
level = (level - level.mean()) / level.std()
X = torch.stack([rain[t - W:t] for t in range(W, T)])
Y = level[W:T].unsqueeze(1)

model = nn.Sequential(nn.Linear(W, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.8)
sched = torch.optim.lr_scheduler.StepLR(opt, step_size=4, gamma=0.4)
mse = nn.MSELoss()
for epoch in range(20):
    for i in torch.randperm(2400).split(40):
        opt.zero_grad()
        loss = mse(model(X[i]), Y[i])
        loss.backward()
        opt.step()
    sched.step()

with torch.no_grad():
    e = model(X[2400:]) - Y[2400:]
print('r2', 1 - e.pow(2).mean().item() / Y[2400:].var().item())
