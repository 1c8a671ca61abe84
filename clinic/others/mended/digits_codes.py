# compress digits to 8 numbers and back
import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
opt = parser.parse_args()
torch.manual_seed(opt.seed)

data = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
data = data[torch.randperm(len(data))]
train, test = data[:1500], data[1500:]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 48)
        self.fc2 = nn.Linear(48, 8)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x)))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 48)
        self.fc2 = nn.Linear(48, 64)

    def forward(self, z):
        return torch.sigmoid(self.fc2(torch.relu(self.fc1(z))))


enc, dec = Encoder(), Decoder()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(list(enc.parameters()) + list(dec.parameters()), lr=2e-3)

for epoch in range(60):
    total = 0
    for x in torch.utils.data.DataLoader(train, batch_size=50, shuffle=True):
        z = enc(x)
        recon = dec(z)
        loss = criterion(recon, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 10 == 9:
        print('====> Epoch: {} Average loss: {:.5f}'.format(epoch + 1, total / 30))

with torch.no_grad():
    err = ((dec(enc(test)) - test) ** 2).sum()
    ref = ((test - train.mean(0)) ** 2).sum()
print('explained', round((1 - err / ref).item(), 4))
