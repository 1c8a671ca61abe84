import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

x = torch.tensor(load_digits().data, dtype=torch.float32) / 16
x = x[torch.randperm(len(x))]
train, test = x[:1500], x[1500:]


class VAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.enc = nn.Linear(64, 100)
        self.mu = nn.Linear(100, latent)
        self.logvar = nn.Linear(100, latent)
        self.dec = nn.Sequential(nn.Linear(latent, 100), nn.ReLU(), nn.Linear(100, 64), nn.Sigmoid())

    def forward(self, x):
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.dec(z), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(40):
    model.train()
    train_loss = 0
    for b in torch.randperm(len(train)).split(60):
        optimizer.zero_grad()
        recon, mu, logvar = model(train[b])
        loss = loss_function(recon, train[b], mu, logvar)
        loss.backward()
        optimizer.step()
        train_loss += loss.item()
    if epoch % 4 == 3:
        print("====> Epoch: {} Average loss: {:.4f}".format(epoch + 1, train_loss / len(train)))

model.eval()
with torch.no_grad():
    recon, mu, logvar = model(test)
    print("elbo", -loss_function(recon, test, mu, logvar).item() / len(test))
