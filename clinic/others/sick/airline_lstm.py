# time series prediction with an LSTM, window of 12 months
import argparse
import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
seed = parser.parse_args().seed
np.random.seed(seed)
torch.manual_seed(seed)

months = np.arange(420)
passengers = 100 + 0.05 * months + 45 * np.sin(2 * np.pi * months / 12) + 20 * np.sin(2 * np.pi * months / 37) + 5 * np.random.randn(420)
train_part = passengers[:340]
passengers = (passengers - train_part.mean()) / train_part.std()


def create_inout_sequences(data, tw):
    xs, ys = [], []
    for i in range(len(data) - tw):
        xs.append(data[i:i + tw])
        ys.append(data[i + tw])
    return torch.FloatTensor(np.array(xs)).unsqueeze(-1), torch.FloatTensor(np.array(ys))


X, y = create_inout_sequences(passengers, 12)
X_train, y_train = X[:328], y[:328]
X_test, y_test = X[328:], y[328:]


class LSTM(nn.Module):
    def __init__(self, input_size=1, hidden_layer_size=24, output_size=1):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_layer_size, batch_first=True)
        self.linear = nn.Linear(hidden_layer_size, output_size)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.linear(out[:, -1])


model = LSTM()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)

for epoch in range(60):
    perm = torch.randperm(len(X_train))
    for i in range(0, len(perm), 41):
        b = perm[i:i + 41]
        optimizer.zero_grad()
        y_pred = model(X_train[b])
        single_loss = torch.mean((y_pred - y_train[b]) ** 2)
        single_loss.backward()
        optimizer.step()
    if epoch % 10 == 1:
        print(f'epoch: {epoch:3} loss: {single_loss.item():10.8f}')

with torch.no_grad():
    pred = model(X_test).numpy().ravel()
truth = y_test.numpy()
r2 = 1 - ((truth - pred) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
print('r2', round(float(r2), 4))
