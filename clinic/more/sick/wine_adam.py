import argparse

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim


def get_arrays(seed):
    x, y = load_wine(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=seed, stratify=y)
    scaler = StandardScaler().fit(x_train)
    as_float = lambda a: torch.tensor(scaler.transform(a), dtype=torch.float32)
    return as_float(x_train), as_float(x_test), torch.tensor(y_train), torch.tensor(y_test)


class WineNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(13, 64), nn.ReLU(), nn.Dropout(0.2),
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 32), nn.ReLU(),
        )
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        return self.head(self.body(x))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    torch.manual_seed(seed)
    x_train, x_test, y_train, y_test = get_arrays(seed)
    net = WineNet()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.Adam(net.parameters(), lr=1.0)
    for epoch in range(120):
        net.train()
        for idx in torch.randperm(len(x_train)).split(16):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_fn(net(x_train[idx]), y_train[idx])
            loss.backward()
            optimizer.step()
        if epoch % 30 == 0:
            print(f"epoch {epoch:3d} loss {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        predicted = net(x_test).argmax(dim=1)
    print(f"accuracy {(predicted == y_test).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
