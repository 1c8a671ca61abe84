# Survival status after surgery (columns as in the Haberman table:
# age, year of operation, positive nodes, status: 1 = survived, 2 = died)
import argparse
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)
rng = np.random.default_rng(args.seed)

n = 900
age = rng.uniform(30, 83, n)
year = rng.integers(58, 70, n)
nodes = rng.geometric(0.15, n) - 1
risk = 0.05 * (age - 55) + 0.5 * (nodes - 5) - 0.1 * (year - 63) + rng.normal(0, 0.8, n)
status = np.where(risk > 0, 2, 1)

data = np.stack([age, year, nodes], axis=1)
data = (data - data.mean(0)) / data.std(0)
X = torch.from_numpy(data).float()
Y = torch.from_numpy(status).float().unsqueeze(1)
X_train, Y_train, X_test, Y_test = X[:700], Y[:700], X[700:], Y[700:]

model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001)

for epoch in range(1500):
    optimizer.zero_grad()
    output = model(X_train)
    loss = criterion(output, Y_train)
    loss.backward()
    optimizer.step()
    if (epoch + 1) % 150 == 0:
        predicted = (torch.sigmoid(output) > 0.5).float()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} acc {(predicted == Y_train).float().mean():.3f}")

with torch.no_grad():
    predicted = (torch.sigmoid(model(X_test)) > 0.5).float()
    print("accuracy", (predicted == Y_test).float().mean().item())
