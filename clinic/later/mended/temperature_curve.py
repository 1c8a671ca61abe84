import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

# hour of day -> temperature, standardized
hour = torch.rand(500, 1) * 2 - 1
temp = torch.sin(3 * hour) + 0.4 * torch.cos(9 * hour) + 0.05 * torch.randn(500, 1)
temp = (temp - temp.mean()) / temp.std()

model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
loss_fn = nn.MSELoss()

for step in range(1600):
    idx = torch.randint(0, 400, (40,))
    loss = loss_fn(model(hour[idx]), temp[idx])
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    optimizer.step()
    if step % 160 == 0:
        print(step, loss.item())

with torch.no_grad():
    e = ((model(hour[400:]) - temp[400:]) ** 2).mean()
print("r2", (1 - e / temp[400:].var()).item())
