# Exact solutions to the nonlinear dynamics of learning in deep linear networks (Saxe et al.): full-batch runs.
import argparse, torch

parser = argparse.ArgumentParser()
parser.add_argument('--seed', type=int, default=0)
parser.add_argument('--depth', type=int, default=5)
parser.add_argument('--width', type=int, default=24)
parser.add_argument('--lr', type=float, default=0.02)
parser.add_argument('--steps', type=int, default=2000)
parser.add_argument('--scale', type=float, default=0.05)
args = parser.parse_args()
torch.manual_seed(args.seed)

d_in, d_out, n = 16, 8, 400
x = torch.randn(n, d_in)
x = x - x.mean(0)
u, _ = torch.linalg.qr(torch.randn(d_in, d_out))
teacher = u * torch.linspace(1.5, 0.5, d_out)
y = x @ teacher + 0.02 * torch.randn(n, d_out)
y = y - y.mean(0)


class Chain(torch.nn.Module):
    def __init__(self, sizes, scale):
        super().__init__()
        self.w = torch.nn.ParameterList([torch.nn.Parameter(scale * torch.randn(a, b) / a ** 0.5)
                                         for a, b in zip(sizes, sizes[1:])])

    def forward(self, h):
        for w in self.w:
            h = h @ w
        return h


net = Chain([d_in] + [args.width] * (args.depth - 1) + [d_out], args.scale)
optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
total = (y ** 2).sum(1).mean()
for t in range(args.steps):
    loss = ((net(x) - y) ** 2).sum(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if t % 250 == 0:
        with torch.no_grad():
            prod = net(torch.eye(d_in))
            print('step %5d loss %.6f  s_max %.4f' % (t, loss.item(), torch.linalg.matrix_norm(prod, 2).item()))
print('explained %.4f' % (1 - loss.item() / total.item()))
