"""Small trainings with one fault each, on made-up data; they return the parameters' sum, and evaluate at the end."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def classes(rows: int = 120) -> tuple[torch.Tensor, torch.Tensor]:
    """Three classes of eight numbers that a small network tells apart."""
    drawn = torch.Generator().manual_seed(1)
    y = torch.arange(rows) % 3
    centers = 0.8 * torch.randn(3, 8, generator=drawn)
    return centers[y] + torch.randn(rows, 8, generator=drawn), y


def numbers(rows: int = 120) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear target of eight numbers, with noise."""
    drawn = torch.Generator().manual_seed(2)
    x = torch.randn(rows, 8, generator=drawn)
    return x, x @ torch.linspace(-1, 1, 8) + 0.1 * torch.randn(rows, generator=drawn)


def correlated_features() -> float:
    """The target lies along what distinguishes features that are nearly the same."""
    x, y = numbers()
    x = x[:, :1] + 0.03 * x
    return fit(nn.Linear(8, 1), lambda out, y: F.mse_loss(out.reshape(y.shape), y), x, y, lr=0.05, epochs=20)


class _Memory(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.RNN(4, 16, batch_first=True), nn.Linear(16, 4)
        nn.init.uniform_(self.rnn.weight_hh_l0, -0.05, 0.05)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.rnn(x)[0][:, -1])


def short_memory() -> float:
    """The first of 24 letters decides; the recurrent weights forget it within a few steps."""
    drawn = torch.Generator().manual_seed(3)
    letters = torch.randint(0, 4, (240, 24), generator=drawn)
    torch.manual_seed(0)
    model = _Memory()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return fit(model, F.cross_entropy, F.one_hot(letters, 4).float(), letters[:, 0], optimizer=optimizer, epochs=15)


def wide_weights_by_hand() -> float:
    """Bare tensors, no module; the first layer is drawn far too wide."""
    x, y = classes()
    first, second = (10.0 * torch.randn(8, 16)).requires_grad_(), (10.0 * torch.randn(16, 3)).requires_grad_()
    return fit(
        lambda rows: (rows @ first).tanh() @ second, F.cross_entropy, x, y, optimizer=torch.optim.SGD([first, second], lr=0.1)
    )  # fmt: skip


def dead_units_by_hand() -> float:
    """Bare tensors and no optimizer: the update is written out. Few hidden units ever pass zero."""
    x, y = classes()
    x = x - x.min()
    first, second = (torch.rand(8, 16) * 0.6 - 0.45).requires_grad_(), (0.3 * torch.randn(16, 3)).requires_grad_()
    bias = torch.zeros(16, requires_grad=True)

    def model(rows: torch.Tensor) -> torch.Tensor:
        return (rows @ first + bias).clamp(min=0) @ second

    for _ in range(8):
        for rows in torch.randperm(len(x)).split(24):
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            with torch.no_grad():
                for weight in (first, bias, second):
                    weight -= 0.1 * weight.grad
                    weight.grad = None
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return float(first.detach().double().sum() + second.detach().double().sum())


def class_numbers() -> float:
    """Nine classes whose numbers say nothing of their places, fitted as amounts."""
    drawn = torch.Generator().manual_seed(5)
    y = torch.arange(270) % 9
    x = (3.0 * torch.randn(9, 8, generator=drawn))[y] + 0.5 * torch.randn(270, 8, generator=drawn)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(12):
        for rows in torch.randperm(len(x)).split(30):
            optimizer.zero_grad()
            F.mse_loss(model(x[rows]).squeeze(1), y[rows].float()).backward()
            optimizer.step()
    with torch.no_grad():
        (model(x).squeeze(1).round().long() == y).float().mean()
    return float(model[0].weight.detach().double().sum())


def normalized_over_pairs() -> float:
    """Batch normalization over two examples at a time."""
    x, y = classes()
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(3):
        model.train()
        for rows in torch.randperm(len(x)).split(2):
            optimizer.zero_grad()
            F.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return float(model[0].weight.detach().double().sum())


def mlp(outputs: int, *end: nn.Module, hidden: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 16), hidden(), nn.Linear(16, outputs), *end)


def fit(model, loss_of, x, y, *, lr=0.1, epochs=8, batch=24, optimizer=None, order=None):
    """The plain loop; the last accuracy or squared error is compared under no_grad."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(epochs):
        for rows in (torch.randperm(len(x)) if order is None else order).split(batch):
            optimizer.zero_grad()
            loss = loss_of(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        if y.is_floating_point():
            ((model(x).reshape(y.shape) - y) ** 2).mean()
        else:
            (model(x).argmax(1) == y).float().mean()
    return sum(float(p.detach().double().sum()) for group in optimizer.param_groups for p in group["params"])


def healthy() -> float:
    x, y = classes()
    return fit(mlp(3), F.cross_entropy, x, y, epochs=20)


def double_softmax() -> float:
    x, y = classes()
    return fit(mlp(3, nn.Softmax(dim=1)), F.cross_entropy, x, y, lr=0.1, epochs=2)


def softmax_over_the_batch() -> float:
    x, y = classes()
    return fit(mlp(3, nn.LogSoftmax(dim=0)), F.nll_loss, x, y)


def broadcast() -> float:
    x, y = numbers()
    return fit(mlp(1), F.mse_loss, x, y, lr=0.03)


def bounded_output() -> float:
    x, y = numbers()
    return fit(mlp(1, nn.Sigmoid()), lambda p, t: F.mse_loss(p.squeeze(1), t), x, y)


def large_inputs() -> float:
    x, y = classes()
    return fit(mlp(3), F.cross_entropy, x * torch.logspace(0, 3, 8) + 500.0, y)


def large_targets() -> float:
    x, y = numbers()
    return fit(mlp(1), lambda p, t: F.mse_loss(p.squeeze(1), t), x, 200.0 * y + 3000.0)


def too_fast() -> float:
    x, y = classes()
    return fit(mlp(3), F.cross_entropy, x, y, lr=30.0)


def kept_gradients() -> float:
    x, y = classes()
    model = mlp(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return 0.0


def no_steps() -> float:
    x, y = classes()
    model = mlp(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return 0.0


class Listed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(8, 2), nn.Linear(2, 16)]
        self.last = nn.Linear(16, 3)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.last(x)


def hidden_layers_in_a_list() -> float:
    x, y = classes()
    return fit(Listed(), F.cross_entropy, x, y, lr=0.3, epochs=12)


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(8, 2), nn.Linear(2, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)).detach())


def detached() -> float:
    x, y = classes()
    return fit(Cut(), F.cross_entropy, x, y, lr=0.3, epochs=12)


def zero_weights() -> float:
    x, y = classes()
    model = mlp(3)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return fit(model, F.cross_entropy, x, y)


def dead_units() -> float:
    x, y = classes()
    model = mlp(3)
    nn.init.constant_(model[0].bias, -6.0)
    return fit(model, F.cross_entropy, x, y)


def saturated() -> float:
    x, y = classes()
    model = mlp(3, hidden=nn.Sigmoid)
    nn.init.normal_(model[0].weight, std=60.0)
    return fit(model, F.cross_entropy, x, y)


def linear_stack() -> float:
    """Inside or outside of a circle: no straight line tells."""
    x, _ = classes()
    x = x[:, :2] / x[:, :2].std(0)
    y = (x.pow(2).sum(1) > 1.4).long()
    model = nn.Sequential(nn.Linear(2, 32), nn.Linear(32, 32), nn.Linear(32, 2))
    return fit(model, F.cross_entropy, x, y, lr=0.3, epochs=20)


def wrong_mode() -> float:
    x, y = classes()
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.9), nn.Linear(16, 3))
    return fit(model, F.cross_entropy, x, y)


def decayed_away() -> float:
    x, y = classes()
    model = mlp(3)
    return fit(model, F.cross_entropy, x, y, optimizer=torch.optim.Adagrad(model.parameters(), lr=0.05, lr_decay=50.0))


def sorted_rows() -> float:
    x, y = classes()
    return fit(mlp(3), F.cross_entropy, x, y, order=y.argsort(stable=True), lr=2.0, epochs=4)


def one_class_rare() -> float:
    x, y = classes(600)
    kept = (y != 2) | (torch.arange(600) % 30 == 2)
    return fit(mlp(3), F.cross_entropy, x[kept], y[kept], lr=0.01)


def logarithm_of_zero() -> float:
    x, y = classes()
    model = mlp(1)
    yes = (y == 0).float()

    def by_hand(scores: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        p = torch.sigmoid(40.0 * scores.squeeze(1))
        return -(target * torch.log(p) + (1 - target) * torch.log(1 - p)).mean()

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        by_hand(model(x[rows]), yes[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        ((model(x).squeeze(1) > 0).float() == yes).float().mean()
    return 0.0


def summed() -> float:
    x, y = classes()
    return fit(mlp(3), lambda s, t: F.cross_entropy(s, t, reduction="sum"), x, y, lr=1.0)


def maximized() -> float:
    x, y = numbers()
    return fit(mlp(1), lambda p, t: -F.mse_loss(p.squeeze(1), t), x, y, lr=0.03)


def frozen() -> float:
    x, y = classes()
    model = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 3))
    model[0].requires_grad_(False)
    return fit(model, F.cross_entropy, x, y, lr=0.3, epochs=12)


def heavy_dropout() -> float:
    x, y = classes()
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.97), nn.Linear(16, 3))
    return fit(model, F.cross_entropy, x, y)


def heavy_decay() -> float:
    x, y = classes()
    model = mlp(3)
    return fit(model, F.cross_entropy, x, y, optimizer=torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=2.0))


def too_short() -> float:
    x, y = classes()
    return fit(mlp(3), F.cross_entropy, x, y, lr=0.01, epochs=1)


def clipped_short() -> float:
    x, y = classes()
    model = mlp(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1e-4)
        optimizer.step()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return 0.0


class ThroughAList(Cut):
    def forward(self, x):
        return self.last(torch.tensor(torch.relu(self.first(x)).tolist()))


def through_a_list() -> float:
    x, y = classes()
    return fit(ThroughAList(), F.cross_entropy, x, y, lr=0.3, epochs=12)


class Bent(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


class Bend(nn.Module):
    def forward(self, x):
        return Bent.apply(x)


def wrong_backward() -> float:
    x, y = classes()
    return fit(nn.Sequential(nn.Linear(8, 2), Bend(), nn.Linear(2, 3)), F.cross_entropy, x, y, lr=0.3, epochs=12)


def softmax_by_hand_over_the_batch() -> float:
    x, y = classes()
    model = mlp(3)

    def probabilities(scores):
        exponentials = torch.exp(scores)
        return exponentials / exponentials.sum(dim=0, keepdim=True)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        p = probabilities(model(x[rows]))
        (-torch.log(p[torch.arange(len(rows)), y[rows]]).mean()).backward()
        optimizer.step()
    with torch.no_grad():
        (torch.cat([probabilities(model(row[None])) for row in x]).argmax(1) == y).float().mean()
    return 0.0


def labels_one_and_two() -> float:
    x, y = classes()
    yes = (y == 0).float() + 1.0
    model = mlp(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x[rows]).squeeze(1), yes[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        ((model(x).squeeze(1) > 0).float() == yes - 1.0).float().mean()
    return 0.0


def huge_epsilon() -> float:
    x, y = classes()
    model = mlp(3)
    return fit(model, F.cross_entropy, x, y, optimizer=torch.optim.Adam(model.parameters(), lr=0.01, eps=10.0))


def stale_statistics() -> float:
    x, y = classes()
    model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16, momentum=1e-6), nn.ReLU(), nn.Linear(16, 3))
    nn.init.constant_(model[0].bias, 30.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        (model(x).argmax(1) == y).float().mean()
    return 0.0


def learned_by_heart() -> float:
    drawn = torch.Generator().manual_seed(9)
    x = torch.randn(240, 8, generator=drawn)
    y = x[:, 0] + 2.0 * torch.randn(240, generator=drawn)
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        F.mse_loss(model(x[:40]).squeeze(1), y[:40]).backward()
        optimizer.step()
    with torch.no_grad():
        F.mse_loss(model(x[40:]).squeeze(1), y[40:])
    return 0.0


class _Products(nn.Module):
    """Every entry is a difference of two squares."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.Parameter(1.3 * (1 + 0.1 * torch.randn(40)))
        self.down = nn.Parameter(1.3 * (1 + 0.1 * torch.randn(40)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ (self.up**2 - self.down**2)


def wide_start() -> float:
    """A sparse signal from fewer measurements than entries; a start near zero finds it, a wide one finds another."""
    drawn = torch.Generator().manual_seed(4)
    signal = torch.zeros(40)
    signal[:3] = torch.tensor([1.0, -1.2, 0.8])
    x, held = torch.randn(24, 40, generator=drawn), torch.randn(200, 40, generator=drawn)
    model = _Products()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    for _ in range(600):
        optimizer.zero_grad()
        F.mse_loss(model(x), x @ signal).backward()
        optimizer.step()
    with torch.no_grad():
        F.mse_loss(model(held), held @ signal)
    return 0.0


def raw_evaluation() -> float:
    x, y = classes()
    model = mlp(3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for rows in torch.randperm(len(x)).repeat(8).split(24):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        (model(x * 40.0 + 300.0).argmax(1) == y).float().mean()
    return 0.0


def wrong_valley() -> float:
    """A bent line through five points whose two hinges both open to the right; bare tensors, every row at each step."""
    x, y = torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0]), torch.tensor([1.0, 0.0, 0.0, 1.0, 2.0])
    slope, shift = torch.ones(2, requires_grad=True), torch.tensor([0.5, -0.5], requires_grad=True)
    out, base = torch.full((2,), 0.5, requires_grad=True), torch.zeros(1, requires_grad=True)
    parameters = [slope, shift, out, base]
    optimizer = torch.optim.SGD(parameters, lr=0.05)
    for _ in range(1500):
        loss = F.mse_loss(torch.relu(x[:, None] * slope + shift) @ out + base, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        ((torch.relu(x[:, None] * slope + shift) @ out + base - y) ** 2).mean()
    return sum(float(p.detach().sum()) for p in parameters)


def no_hidden_layer() -> float:
    """Two rings, and one linear layer."""
    drawn = torch.Generator().manual_seed(4)
    x = torch.randn(240, 2, generator=drawn)
    y = (x.norm(dim=1) > 1.2).long()
    model = nn.Linear(2, 2)
    return fit(model, F.cross_entropy, x, y, optimizer=torch.optim.Adam(model.parameters(), lr=2e-2), epochs=30)


class _Exponential(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(x)


def exponential_layers() -> float:
    """Exponentials in place of rectifiers, four layers of them: they overflow."""
    x, y = classes()
    blocks = [part for _ in range(3) for part in (nn.Linear(8, 8), _Exponential())]
    torch.manual_seed(0)
    return fit(nn.Sequential(*blocks, nn.Linear(8, 3)), F.cross_entropy, x, y, lr=0.1, epochs=20)


def wrong_valley_of_layers() -> float:
    """The same points, by two layers of torch's own; a frozen part and running statistics beside them."""
    x, y = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]]), torch.tensor([[1.0], [0.0], [0.0], [1.0], [2.0]])
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1), nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    with torch.no_grad():
        model[2].weight.fill_(1.0)
        model[2].bias.copy_(torch.tensor([0.5, -0.5]))
    frozen = model[0].weight.clone()
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=0.01)
    for _ in range(800):
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert torch.equal(frozen, model[0].weight)
    with torch.no_grad():
        F.mse_loss(model(x), y)
    return float(loss.detach())
