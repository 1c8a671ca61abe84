import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Surrogate(nn.Module):
    def __init__(self, n_in, width, depth):
        super().__init__()
        self.entry = nn.Linear(n_in, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.exit = nn.Linear(width, 1)

    def forward(self, x):
        h = self.entry(x)
        for layer in self.hidden:
            h = torch.tanh(layer(h))
        return self.exit(h)


def simulate(n):
    x = 2 * torch.rand(n, 4) - 1
    flux = torch.cos(3 * (x[:, 0] - x[:, 1])) + x[:, 2] * x[:, 3]
    return x, (flux.unsqueeze(1) - 0.1) / 0.75


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.manual_seed(a.seed)
    x, y = simulate(2000)
    xt, yt = simulate(500)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    model = Surrogate(4, 20, 3)
    print("parameters:", sum(p.numel() for p in model.parameters()))
    optimizer = torch.optim.NAdam(model.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=30)
    for epoch in range(30):
        for xb, yb in loader:
            loss = nn.functional.mse_loss(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        scheduler.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} loss {loss.item():.5f}")
    with torch.no_grad():
        print("r2 %.4f" % (1 - (model(xt) - yt).pow(2).mean() / yt.var()).item())


if __name__ == "__main__":
    main()
