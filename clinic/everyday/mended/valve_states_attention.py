import argparse
import torch
from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LinearLR


class Pooler(nn.Module):
    def __init__(self, n_in, dim=24):
        super().__init__()
        self.inp = nn.Linear(n_in, dim)
        self.attn = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 3)

    def forward(self, x):
        h = self.inp(x)
        h = self.norm(h + self.attn(h, h, h, need_weights=False)[0])
        return self.out(h.mean(1))


def valves(n):
    """Eight valves with (pressure, flow, temperature); 0 normal, 1 leak, 2 blocked."""
    x = torch.randn(n, 8, 3)
    y = torch.randint(3, (n,))
    who = torch.randint(8, (n,))
    rows = torch.arange(n)
    x[rows, who, 0] += 3.5 * (y == 2) - 3.5 * (y == 1)
    x[rows, who, 1] += 3.0 * (y == 1) - 3.0 * (y == 2)
    return x, y


def run(seed, epochs=15):
    torch.manual_seed(seed)
    x, y = valves(1000)
    xt, yt = valves(400)
    model = Pooler(3)
    optimizer = AdamW(model.parameters(), lr=4e-3)
    scheduler = LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=epochs)
    for epoch in range(epochs):
        model.train()
        losses = []
        for idx in torch.randperm(len(x)).split(25):
            loss = nn.functional.cross_entropy(model(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        print(f"epoch {epoch} lr {scheduler.get_last_lr()[0]:.4f} loss {sum(losses) / len(losses):.4f}")
    model.eval()
    with torch.no_grad():
        return (model(xt).argmax(1) == yt).float().mean().item()


if __name__ == "__main__":
    cli = argparse.ArgumentParser()
    cli.add_argument("--seed", type=int, default=0)
    print("accuracy %.4f" % run(cli.parse_args().seed))
