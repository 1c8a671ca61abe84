# In[1]:
import argparse
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
SEED = parser.parse_args().seed

# In[2]: cartographic variables (simulated) and the kind of forest
rs = np.random.RandomState(SEED)
torch.manual_seed(SEED)
n = 5000
elevation = rs.uniform(1800, 3600, n)
slope = rs.gamma(3, 5, n)
aspect = rs.uniform(0, 360, n)
water = rs.exponential(250, n)
soil = rs.randint(0, 6, n)
sun = np.cos(np.radians(aspect - 180)) * np.sin(np.radians(slope))
wet = np.exp(-water / 200) + 0.3 * (soil % 2)
h = (elevation - 2700) / 450 + 0.8 * sun
scores = np.stack([-(h - 1.3) ** 2, -(h - 0.3) ** 2 - 0.6 * wet, -(h + 0.5) ** 2 + 0.9 * wet - 0.5,
                   -(h + 1.2) ** 2 + 0.8 * (soil > 3)], 1)
cover = (3 * scores + rs.gumbel(size=(n, 4)) * 0.5).argmax(1)

# In[3]: features
F = np.stack([elevation, slope, np.sin(np.radians(aspect)), np.cos(np.radians(aspect)), np.log1p(water)], 1)
F = (F - F.mean(0)) / F.std(0)
F = np.hstack([F, np.eye(6)[soil]]).astype("float32")
tr, va = np.split(rs.permutation(n), [4000])
train_dl = DataLoader(TensorDataset(torch.tensor(F[tr]), torch.tensor(cover[tr])), batch_size=64, shuffle=True)
Xv, yv = torch.tensor(F[va]), torch.tensor(cover[va])

# In[4]:
model = nn.Sequential(nn.Linear(11, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)

# In[5]:
for epoch in range(12):
    model.train()
    running, seen = 0.0, 0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * len(yb)
        seen += len(yb)
        scheduler.step()
    model.eval()
    with torch.no_grad():
        acc = (model(Xv).argmax(1) == yv).float().mean().item()
    print(f"epoch {epoch:2d}: loss {running / seen:.4f}, val accuracy {acc:.4f}")

# In[6]:
print("accuracy", round(acc, 4))
