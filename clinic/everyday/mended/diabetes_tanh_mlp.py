import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset, random_split

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--batch-size", type=int, default=46)
parser.add_argument("--epochs", type=int, default=9)
hp = parser.parse_args()
torch.manual_seed(hp.seed)

raw = load_diabetes(scaled=False)
X = torch.tensor(StandardScaler().fit_transform(raw.data)).float()
y = torch.tensor((raw.target - raw.target.mean()) / raw.target.std()).float().unsqueeze(1)
train_set, test_set = random_split(TensorDataset(X, y), [322, 120], generator=torch.Generator().manual_seed(3))
train_loader = DataLoader(train_set, batch_size=hp.batch_size, shuffle=True)

model = nn.Sequential(nn.Linear(10, 12), nn.Tanh(), nn.Linear(12, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
criterion = nn.MSELoss()

for epoch in range(hp.epochs):
    model.train()
    epoch_loss = 0.0
    for inputs, target in train_loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), target)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item() * len(inputs)
    print(f"Epoch [{epoch + 1}/{hp.epochs}], Loss: {epoch_loss / len(train_set):.4f}")

model.eval()
with torch.no_grad():
    xt, yt = test_set[:]
    r2 = 1 - ((model(xt) - yt) ** 2).sum() / ((yt - yt.mean()) ** 2).sum()
print(f"r2 {r2.item():.4f}")
