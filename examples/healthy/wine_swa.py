"""Trains a wine classifier and averages its weights over the last epochs (stochastic weight averaging)."""

import argparse
import random

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)

X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
scaler = StandardScaler().fit(X_train)
X_train, X_test = torch.tensor(scaler.transform(X_train)).float(), torch.tensor(scaler.transform(X_test)).float()
loader = DataLoader(TensorDataset(X_train, torch.tensor(y_train)), batch_size=31, shuffle=True)

model = nn.Sequential(nn.Linear(13, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Linear(24, 3))
averaged = AveragedModel(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
swa_scheduler = SWALR(optimizer, swa_lr=0.02, anneal_epochs=5)
criterion = nn.CrossEntropyLoss()
for epoch in range(60):
    model.train()
    total = 0.0
    for inputs, labels in loader:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch >= 40:
        averaged.update_parameters(model)
        swa_scheduler.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch} loss {total / len(loader):.4f}")

update_bn(loader, averaged)
averaged.eval()
with torch.no_grad():
    accuracy = (averaged(X_test).argmax(1) == torch.tensor(y_test)).float().mean().item()
print(f"accuracy {accuracy:.3f}")
