import argparse
import torch
import torch.nn as nn


class EchoModel(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, h):
        y, h = self.gru(x, h)
        return self.out(y), h


def signal(channels, length):
    x = torch.randn(channels, length)
    for t in range(1, length):
        x[:, t] = 0.6 * x[:, t - 1] + 0.8 * x[:, t]
    y = torch.zeros_like(x)
    for t in range(3, length):
        y[:, t] = 0.5 * y[:, t - 1] + torch.tanh(x[:, t]) - 0.6 * x[:, t - 2] + 0.3 * x[:, t - 3]
    return x.unsqueeze(2), (y / y.std()).unsqueeze(2)


def main(seed):
    torch.manual_seed(seed)
    x, y = signal(24, 2400)
    model = EchoModel()
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    step = 0
    for sweep in range(4):
        h = None
        for t in range(0, 2000, 20):
            pred, h = model(x[:, t:t + 20], h)
            h = h.detach()
            loss = nn.functional.mse_loss(pred, y[:, t:t + 20])
            opt.zero_grad()
            loss.backward()
            opt.step()
            step += 1
            if step % 40 == 0:
                print(f"sweep {sweep} step {step} mse {loss.item():.5f}")
    with torch.no_grad():
        pred, _ = model(x[:, 2000:], h)
        r2 = 1 - nn.functional.mse_loss(pred, y[:, 2000:]) / y[:, 2000:].var()
    print(f"r2 {r2.item():.4f}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    main(ap.parse_args().seed)
