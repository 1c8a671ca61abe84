import argparse
import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split

cl = argparse.ArgumentParser()
cl.add_argument('--seed', type=int, default=0)
seed = cl.parse_args().seed
torch.manual_seed(seed)

X, y = load_diabetes(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y.reshape(-1, 1), test_size=.25, random_state=seed)
sx, sy = StandardScaler().fit(Xa), StandardScaler().fit(ya)
T = lambda v: torch.tensor(v, dtype=torch.float32)
Xa, Xb, ya, yb = T(sx.transform(Xa)), T(sx.transform(Xb)), T(sy.transform(ya)), T(sy.transform(yb))

model = torch.nn.Linear(10, 1)
opt = torch.optim.SGD(model.parameters(), lr=1e-2)
for epoch in range(120):
    for b in torch.randperm(len(Xa)).split(33):
        loss = torch.nn.functional.mse_loss(model(Xa[b]), ya[b])
        opt.zero_grad()
        loss.backward()
        opt.step()

with torch.no_grad():
    e = model(Xb) - yb
print('r2', 1 - (e ** 2).mean().item() / yb.var().item())
