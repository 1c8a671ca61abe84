import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--batch-size", type=int, default=40)
args = parser.parse_args()
torch.manual_seed(args.seed)


class Typist(nn.Module):
    def __init__(self, sizes=(30, 64, 48, 10)):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.act = nn.ReLU()

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        return self.layers[-1](x)


who = torch.randint(0, 10, (3600,))
habit = torch.randn(10, 30)
timing = 0.8 * habit[who] + torch.randn(3600, 30)
timing = (timing - timing.mean(0)) / timing.std(0)
train = TensorDataset(timing[:3000], who[:3000])
loader = DataLoader(train, args.batch_size, shuffle=True)

model = Typist()
epochs = 12
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=epochs * len(loader))
for epoch in range(epochs):
    seen, loss_sum = 0, 0.0
    for x, y in loader:
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        seen += len(y)
        loss_sum += loss.item() * len(y)
    with torch.no_grad():
        logits = model(timing[3000:])
        val = (logits.argmax(-1) == who[3000:]).float().mean()
    print(f"epoch {epoch + 1:2d}: loss={loss_sum / seen:.4f}, val_acc={val:.4f}")
print(f"accuracy {val:.4f}")
