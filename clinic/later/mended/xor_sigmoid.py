import argparse
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
torch.manual_seed(parser.parse_args().seed)

X = torch.tensor([[0., 0.], [0., 1.], [1., 0.], [1., 1.]])
Y = torch.tensor([[0.], [1.], [1.], [0.]])


class XOR(nn.Module):
    def __init__(self):
        super(XOR, self).__init__()
        self.fc1 = nn.Linear(2, 6)
        self.fc2 = nn.Linear(6, 1)

    def forward(self, x):
        x = torch.sigmoid(self.fc1(x))
        return torch.sigmoid(self.fc2(x))


net = XOR()
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(net.parameters(), lr=5)

for epoch in range(5000):
    optimizer.zero_grad()
    loss = criterion(net(X), Y)
    loss.backward()
    optimizer.step()
    if epoch % 500 == 0:
        print("Epoch {} Loss: {}".format(epoch, loss.item()))

with torch.no_grad():
    out = net(X)
for inp, o in zip(X, out):
    print(inp.tolist(), round(o.item(), 3))
print("fit", 1 - (out - Y).abs().mean().item())
