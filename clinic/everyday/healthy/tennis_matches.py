import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)

rank = torch.randn(8000, 2)
form = torch.randn(8000, 2)
surface = torch.randint(0, 3, (8000,))
edge = 0.45 * (rank[:, 0] - rank[:, 1]) + 0.25 * (form[:, 0] - form[:, 1]) + 0.2 * (surface - 1) * rank[:, 0]
won = (torch.rand(8000) < torch.sigmoid(edge)).float()
x = torch.cat([rank, form, nn.functional.one_hot(surface, 3).float()], 1)
loader = DataLoader(TensorDataset(x[:6000], won[:6000]), batch_size=100, shuffle=True)

model = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(12):
    s = 0
    for a, b in loader:
        opt.zero_grad()
        loss = loss_fn(model(a).squeeze(1), b)
        loss.backward()
        opt.step()
        s += loss.item()
    with torch.no_grad():
        out = model(x[6000:]).squeeze(1)
        print(f"epoch {epoch}: train {s / len(loader):.4f} val {loss_fn(out, won[6000:]).item():.4f}")
print("accuracy", ((out > 0).float() == won[6000:]).float().mean().item())
