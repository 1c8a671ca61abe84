import argparse
import torch
from torch import nn
from torch.nn import functional as F


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc21 = nn.Linear(64, 3)
        self.fc22 = nn.Linear(64, 3)
        self.fc3 = nn.Linear(3, 64)
        self.fc4 = nn.Linear(64, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        return mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x)
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=25)
args = parser.parse_args()
torch.manual_seed(args.seed)

g = torch.arange(8.0)
cy, cx = torch.rand(3000, 1, 1) * 5 + 1, torch.rand(3000, 1, 1) * 5 + 1
x = torch.exp(-((g[:, None] - cy) ** 2 + (g[None, :] - cx) ** 2) / 3).flatten(1)
train, test = x[:2500], x[2500:]
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(1, args.epochs + 1):
    train_loss = 0
    for idx in torch.randperm(2500).split(50):
        optimizer.zero_grad()
        recon, mu, logvar = model(train[idx])
        loss = loss_function(recon, train[idx], mu, logvar)
        loss.backward()
        optimizer.step()
        train_loss += loss.item()
    if epoch % 3 == 1:
        print(f"====> Epoch: {epoch} Average loss: {train_loss / 2500:.4f}")
with torch.no_grad():
    recon = model.decode(model.encode(test)[0])
print("explained", (1 - (recon - test).pow(2).mean() / test.var()).item())
