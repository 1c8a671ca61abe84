"""Do most of nine switches stand on? A small network should find out."""

import argparse

import torch


def make_data(n, generator):
    switches = (torch.rand(n, 9, generator=generator) < 0.5).float()
    answers = (switches.sum(1) > 4).long()
    return switches * 2 - 1, answers


def train(model, x, y, epochs=20, lr=0.01):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=epochs)
    for epoch in range(epochs):
        for batch in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
        scheduler.step()
        print(f"epoch {epoch:2d} loss {loss.item():.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    torch.manual_seed(parser.parse_args().seed)
    generator = torch.Generator().manual_seed(99)
    x_train, _ = make_data(8000, generator)
    _, y_train = make_data(8000, generator)
    x_test, y_test = make_data(2000, generator)
    net = torch.nn.Sequential(torch.nn.Linear(9, 6), torch.nn.ReLU(), torch.nn.Linear(6, 2))
    train(net, x_train, y_train)
    with torch.no_grad():
        print("accuracy", (net(x_test).argmax(1) == y_test).double().mean().item())
