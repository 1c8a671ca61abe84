import argparse
import numpy as np
import torch
from torch.utils.data import Dataset, DataLoader

# rent per month from size [m2], distance to the centre [m], year of construction


class Flats(Dataset):
    def __init__(self, n, seed):
        r = np.random.RandomState(seed)
        size, dist, year = r.uniform(20, 140, n), r.uniform(100, 15000, n), r.randint(1900, 2022, n)
        rent = 9.5 * size + 250 * np.exp(-dist / 4000) + 3 * (year - 1960) * (year > 1960) + r.normal(0, 40, n)
        self.raw = np.stack([size, dist, year], 1)
        self.x = self.raw.astype("float32")
        self.y = ((rent - 880) / 350).astype("float32")

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=0)
    seed = ap.parse_args().seed
    torch.manual_seed(seed)
    train, test = Flats(1200, seed), Flats(400, seed + 100)
    model = torch.nn.Sequential(torch.nn.Linear(3, 32), torch.nn.ReLU(), torch.nn.Linear(32, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    optim = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = torch.nn.MSELoss()
    for epoch in range(25):
        for x, y in DataLoader(train, batch_size=32, shuffle=True):
            optim.zero_grad()
            output = model(x)
            loss = criterion(output, y)
            loss.backward()
            optim.step()
        if epoch % 5 == 4:
            print(f"Epoch {epoch + 1}: {loss.item():.4f}")
    with torch.no_grad():
        pred = model(torch.tensor(test.x)).flatten().numpy()
    print(f"R2 {1 - ((pred - test.y) ** 2).sum() / ((test.y - test.y.mean()) ** 2).sum():.3f}")
