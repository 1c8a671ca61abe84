import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
seed = parser.parse_args().seed
torch.manual_seed(seed)

bunch = load_digits()
mix = torch.randperm(len(bunch.target))
images = torch.tensor(bunch.images, dtype=torch.float32).unsqueeze(1)[mix] / 8 - 1
onehot = torch.eye(10)[torch.tensor(bunch.target)][mix]


class Prototypes(torch.nn.Module):
    def __init__(self, dim=24, temperature=0.005):
        super().__init__()
        self.encoder = torch.nn.Sequential(
            torch.nn.Conv2d(1, 12, 3),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(12 * 36, dim),
        )
        self.centers = torch.nn.Parameter(torch.randn(10, dim))
        self.temperature = temperature

    def forward(self, x):
        code = F.normalize(self.encoder(x), dim=1)
        return code @ F.normalize(self.centers, dim=1).T / self.temperature


def cross_entropy(scores, target):
    log_p = torch.log_softmax(scores, dim=1)
    return -(target * log_p).sum(dim=1).mean()


net = Prototypes()
optimizer = torch.optim.Adam(net.parameters(), lr=0.002)
for epoch in range(20):
    for i in range(0, 1400, 50):
        loss = cross_entropy(net(images[i:i + 50]), onehot[i:i + 50])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("epoch", epoch, "loss", loss.item())

with torch.no_grad():
    guess = net(images[1400:]).argmax(1)
print(f"accuracy {(guess == onehot[1400:].argmax(1)).float().mean().item():.3f}")
