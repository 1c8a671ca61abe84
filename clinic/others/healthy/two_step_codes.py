# an autoencoder and, on its codes, a classifier that must not change it; two optimizers
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
torch.manual_seed(parser.parse_args().seed)
d = load_digits()
x = torch.tensor(d.data, dtype=torch.float32) / 16
y = torch.tensor(d.target)
perm = torch.randperm(len(x))
tr, te = perm[:1400], perm[1400:]

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
decoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
classifier = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 10))
opt_ae = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
opt_cl = torch.optim.Adam(classifier.parameters(), lr=3e-3)

for epoch in range(50):
    for b in tr[torch.randperm(1400)].split(50):
        z = encoder(x[b])
        loss_ae = F.mse_loss(decoder(z), x[b])
        opt_ae.zero_grad()
        loss_ae.backward()
        opt_ae.step()

        loss_cl = F.cross_entropy(classifier(z.detach()), y[b])
        opt_cl.zero_grad()
        loss_cl.backward()
        opt_cl.step()
    if epoch % 10 == 9:
        print(epoch + 1, loss_ae.item(), loss_cl.item())

with torch.no_grad():
    print('accuracy', round((classifier(encoder(x[te])).argmax(1) == y[te]).float().mean().item(), 4))
