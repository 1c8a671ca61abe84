import argparse
import torch
from sklearn.datasets import load_wine
from torch import nn


class Tied(nn.Module):
    def __init__(self, n_in, n_code, std):
        super().__init__()
        self.W = nn.Parameter(torch.empty(n_code, n_in).normal_(std=std))

    def forward(self, x):
        return (x @ self.W.T) @ self.W


def main(seed):
    torch.manual_seed(seed)
    x = torch.tensor(load_wine().data, dtype=torch.float32)
    x = ((x - x.mean(0)) / x.std(0))[torch.randperm(len(x))]
    train, test = x[:140], x[140:]
    model = Tied(13, 5, std=1e-12)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for step in range(300):
        loss = ((model(train) - train) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step:3d}  reconstruction {loss.item():.5f}")
    with torch.no_grad():
        return 1 - (((model(test) - test) ** 2).mean() / (test ** 2).mean()).item()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    print(f"explained_variance {main(p.parse_args().seed):.4f}")
