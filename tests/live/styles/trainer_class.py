"""A class, a scheduler, clipping, evaluation with eval() and train()."""

import torch
from state import print_state
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.fc = nn.Linear(16 * 4, 10)

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.bn(self.conv1(x))), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


class Trainer:
    def __init__(self):
        self.model = Net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
        self.scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, T_max=5)
        data = TensorDataset(torch.rand(256, 1, 8, 8), torch.randint(0, 10, (256,)))
        self.loader = DataLoader(data, batch_size=32, shuffle=True)

    def fit(self):
        for epoch in range(5):
            self.model.train()
            for x, y in self.loader:
                self.optimizer.zero_grad(set_to_none=False)
                loss = nn.CrossEntropyLoss()(self.model(x), y)
                loss.backward()
                clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
            self.scheduler.step()
            self.model.eval()
            with torch.no_grad():
                correct = sum((self.model(x).argmax(1) == y).sum().item() for x, y in self.loader)
            print(epoch, loss.item(), correct)


trainer = Trainer()
trainer.fit()
print_state(trainer.model, trainer.optimizer)
