import argparse
import torch
import torch.nn as nn

p = argparse.ArgumentParser()
p.add_argument("--seed", type=int, default=0)
torch.manual_seed(p.parse_args().seed)

n_kinds = 12
patterns = (torch.rand(n_kinds, 8, 8) > 0.5).float()


def sample(n):
    y = torch.randint(0, n_kinds, (n,))
    x = 0.35 * torch.randn(n, 1, 12, 12)
    for i in range(n):
        r, c = torch.randint(0, 5, (2,)).tolist()
        x[i, 0, r:r + 8, c:c + 8] += patterns[y[i]]
    return x, y


x_train, y_train = sample(1500)
x_test, y_test = sample(500)
m, s = x_train.mean(), x_train.std()
x_train, x_test = (x_train - m) / s, (x_test - m) / s

model = nn.Sequential(
    nn.Conv2d(1, 16, 5, padding=2),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(16, 24, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(24 * 9, n_kinds),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

for epoch in range(14):
    perm = torch.randperm(len(x_train))
    losses = []
    for b in perm.chunk(50):
        out = model(x_train[b])
        loss = criterion(out, y_train[b])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print("Epoch", epoch, "loss", sum(losses) / len(losses))

with torch.no_grad():
    acc = (model(x_test).argmax(1) == y_test).float().mean().item()
print("accuracy", acc)
