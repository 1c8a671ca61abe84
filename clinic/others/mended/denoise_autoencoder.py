import argparse
import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class Autoencoder(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, code))
        self.decoder = nn.Sequential(nn.Linear(code, 64), nn.Tanh(), nn.Linear(64, 64))
        self.reset()

    def reset(self):
        for name, p in self.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(p, 0.0, 0.1)
            else:
                nn.init.zeros_(p)

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Trainer:
    def __init__(self, model, data, noise=0.3, lr=2e-3):
        self.model, self.noise = model, noise
        self.train, self.test = data[:1400], data[1400:]
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.mse = nn.MSELoss()

    def corrupt(self, x):
        return x + self.noise * torch.randn_like(x)

    def fit(self, epochs):
        for epoch in range(epochs):
            for i in torch.randperm(len(self.train)).split(64):
                x = self.train[i]
                loss = self.mse(self.model(self.corrupt(x)), x)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
            if epoch % 10 == 0:
                print(f"epoch {epoch}: {loss.item():.4f}")
        return self

    def explained(self):
        with torch.no_grad():
            err = self.mse(self.model(self.corrupt(self.test)), self.test)
        return 1 - (err / self.mse(self.train.mean(0).expand_as(self.test), self.test)).item()


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    torch.manual_seed(ap.parse_args().seed)
    x = torch.tensor(load_digits().data, dtype=torch.float32)
    x = (x - x.mean()) / x.std()
    t = Trainer(Autoencoder(), x[torch.randperm(len(x))]).fit(50)
    print(f"explained {t.explained():.4f}")
