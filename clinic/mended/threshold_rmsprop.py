import argparse

import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

g = torch.Generator().manual_seed(8)
value = torch.randint(15041, 24988, (999, 1), generator=g).float()
label = (value < 20000).float()
value = (value - value.mean()) / value.std()

model = nn.Sequential(nn.Linear(1, 1), nn.Tanh(), nn.Linear(1, 1), nn.Sigmoid())
optimizer = torch.optim.RMSprop(model.parameters(), lr=5e-3)
criterion = nn.BCELoss()
for epoch in range(60):
    for batch in torch.randperm(800).split(40):
        prediction = model(value[batch])
        loss = criterion(prediction, label[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss.item())
with torch.no_grad():
    hits = (model(value[800:]) > 0.5).float() == label[800:]
print("accuracy", hits.float().mean().item())
