import argparse
import torch
import torch.nn as nn
from torch.utils.data import DataLoader


class AutoEncoder(nn.Module):
    def __init__(self, pixels=100, code=8):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(pixels, 64), nn.Tanh(),
            nn.Linear(64, 32), nn.Tanh(),
            nn.Linear(32, code))
        self.decoder = nn.Sequential(
            nn.Linear(code, 32), nn.Tanh(),
            nn.Linear(32, 64), nn.Tanh(),
            nn.Linear(64, pixels))
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.decoder(self.encoder(x))


def images(n, fields):
    z = torch.rand(n, fields.shape[0]) * 2 - 1
    x = torch.sin(2 * z) @ fields
    return x / x.std() + 0.1 * torch.randn(n, fields.shape[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=25)
    opt = parser.parse_args()
    torch.manual_seed(opt.seed)
    g = torch.linspace(-1, 1, 10)
    yy, xx = torch.meshgrid(g, g, indexing="ij")
    centers = torch.rand(5, 2) * 1.6 - 0.8
    fields = torch.stack([torch.exp(-((yy - a) ** 2 + (xx - b) ** 2) / 0.3).flatten() for a, b in centers])
    data = images(2500, fields)
    train, test = data[:2000], data[2000:]
    loader = DataLoader(train, batch_size=50, shuffle=True)
    ae = AutoEncoder()
    sgd = torch.optim.SGD(ae.parameters(), lr=0.1, momentum=0.9)
    crit = nn.MSELoss()
    for epoch in range(opt.epochs):
        for batch in loader:
            loss = crit(ae(batch), batch)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
        with torch.no_grad():
            held = crit(ae(test), test).item()
        print(f"epoch {epoch}, batch loss {loss.item():.4f}, test loss {held:.4f}")
    print("explained", 1 - held / test.var().item())


if __name__ == "__main__":
    main()
