import argparse
import torch


def render(pos, size=32, sigma=1.3):
    grid = torch.arange(size, dtype=torch.float32)
    gy = torch.exp(-(grid[None] - pos[:, :1]) ** 2 / (2 * sigma ** 2))
    gx = torch.exp(-(grid[None] - pos[:, 1:]) ** 2 / (2 * sigma ** 2))
    return gy[:, :, None] * gx[:, None, :]


def start_positions(images):
    size = images.shape[-1]
    peak = images.flatten(1).argmax(1)
    return torch.stack([peak // size, peak % size], 1).float()


def localize(images, steps=400, lr=150.0):
    pos = torch.nn.Parameter(start_positions(images))
    optimizer = torch.optim.SGD([pos], lr=lr)
    for step in range(steps):
        optimizer.zero_grad()
        residual = render(pos) - images
        loss = residual.pow(2).mean(dim=(1, 2)).mean() * 10
        loss.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step:3d} residual {loss.item():.6f}")
    return pos.detach()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    side = torch.randint(2, (60, 2)) * 2 - 1
    truth = 16 + side * (8 + 5 * torch.rand(60, 2))
    images = render(truth) + 0.002 * torch.randn(60, 32, 32)
    found = localize(images)
    close = ((found - truth).norm(dim=1) < 0.5).float().mean().item()
    print("found", round(close, 4))


if __name__ == "__main__":
    main()
