import argparse
import copy

import torch
from sklearn.datasets import load_diabetes
from torch import nn


class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.waited, self.state = patience, float("inf"), 0, None

    def done(self, loss, model):
        if loss < self.best - 1e-4:
            self.best, self.waited, self.state = loss, 0, copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    data = load_diabetes()
    x = torch.tensor(data.data * 21, dtype=torch.float32)
    y = torch.tensor((data.target - 152) / 77, dtype=torch.float32)
    order = torch.randperm(442, generator=torch.Generator().manual_seed(6))
    train, valid, test = order[:280], order[280:360], order[360:]
    model = nn.Sequential(nn.Linear(10, 12), nn.Tanh(), nn.Linear(12, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-3)
    stopping = EarlyStopping(patience=8)
    for epoch in range(200):
        model.train()
        for rows in train[torch.randperm(280)].split(20):
            loss = nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            valid_loss = nn.functional.mse_loss(model(x[valid]), y[valid]).item()
        if epoch % 5 == 0:
            print(f"epoch {epoch} valid {valid_loss:.4f}")
        if stopping.done(valid_loss, model):
            print("stopped after epoch", epoch)
            break
    model.load_state_dict(stopping.state)
    with torch.no_grad():
        print("R2", 1 - (nn.functional.mse_loss(model(x[test]), y[test]) / y[test].var()).item())


if __name__ == "__main__":
    main()
