import argparse

import torch
from sklearn.datasets import load_diabetes
from torch import nn


class Regressor(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(10, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1), nn.Flatten(0)
        )

    def forward(self, x):
        return self.net(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    data = load_diabetes()
    x = torch.tensor(data.data * 21, dtype=torch.float32)
    y = torch.tensor((data.target - 152) / 77, dtype=torch.float32)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(131))
    train, valid = order[:260], order[260:]
    model = Regressor(width=4)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100)
    for epoch in range(100):
        model.train()
        total = 0.0
        for rows in train[torch.randperm(260)].split(26):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.item() / 10
        scheduler.step()
        model.eval()
        with torch.no_grad():
            valid_loss = nn.functional.mse_loss(model(x[valid]), y[valid]).item()
        if epoch % 10 == 0:
            print(f"epoch {epoch} train {total:.3f} valid {valid_loss:.3f}")
    print("R2", 1 - valid_loss / y[valid].var().item())


if __name__ == "__main__":
    main()
