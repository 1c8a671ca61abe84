"""Train a small network on scikit-learn's handwritten digits."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

images, labels = load_digits(return_X_y=True)
images = (images - images.mean()) / images.std()
train_x, test_x, train_y, test_y = train_test_split(images, labels, test_size=0.25, random_state=0)
train = TensorDataset(torch.tensor(train_x, dtype=torch.float32), torch.tensor(train_y))
loader = DataLoader(train, batch_size=32, shuffle=True)
test_x, test_y = torch.tensor(test_x, dtype=torch.float32), torch.tensor(test_y)

model = nn.Sequential(
    nn.Linear(64, 64),
    nn.ReLU(),
    nn.Linear(64, 32),
    nn.ReLU(),
    nn.Linear(32, 10),
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

for epoch in range(15):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    model.eval()
    with torch.no_grad():
        accuracy = (model(test_x).argmax(1) == test_y).float().mean().item()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d}  loss {total / len(train):.3f}  test accuracy {accuracy:.3f}")
