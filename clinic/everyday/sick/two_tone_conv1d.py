import argparse
import math
import torch
from torch import nn


class ToneNet(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 12, 9, stride=2), nn.ReLU(),
            nn.Conv1d(12, 24, 9, stride=2), nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
        )
        self.classifier = nn.Linear(24, n_classes)

    def forward(self, wave):
        return self.classifier(self.features(wave).squeeze(-1))


def synth(n, n_classes=5, length=96):
    y = torch.randint(n_classes, (n,))
    t = torch.arange(length).float()
    freq = 0.05 + 0.06 * y.float().unsqueeze(1)
    phase = 2 * math.pi * torch.rand(n, 1)
    wave = torch.sin(2 * math.pi * freq * t + phase) + 0.6 * torch.sin(2 * math.pi * 0.02 * t + 3 * phase)
    return (wave + 0.4 * torch.randn(n, length)).unsqueeze(1), y


def accuracy(model, x, y):
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
cfg = parser.parse_args()
torch.manual_seed(cfg.seed)

train_x, train_y = synth(1200)
test_x, test_y = synth(400)
model = ToneNet(5)
optim = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.999), eps=1.0)
criterion = nn.CrossEntropyLoss()

for epoch in range(1, 13):
    order = torch.randperm(len(train_x))
    for i in range(0, len(order), 30):
        sel = order[i:i + 30]
        optim.zero_grad(set_to_none=True)
        loss = criterion(model(train_x[sel]), train_y[sel])
        loss.backward()
        optim.step()
    print(f"epoch {epoch}: loss {loss.item():.3f} test accuracy {accuracy(model, test_x, test_y):.3f}")

print("accuracy %.4f" % accuracy(model, test_x, test_y))
