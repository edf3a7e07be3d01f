"""New tensors equal PyTorch's in values and dtypes; in-place writes, too; random ones in shape, dtype and distribution."""

import numpy as np
import pytest

import nanograd
from nanograd import Generator

MADE = [
    "m.tensor([1, 2])", "m.tensor([1.0, 2])", "m.tensor([True, False])", "m.tensor([[1], [2]])", "m.tensor(3)", "m.tensor(3.5)", "m.tensor(True)",
    "m.tensor([])", "m.tensor([[]])", "m.tensor([1, 2], dtype=m.float64)", "m.tensor([1.7, -1.7], dtype=m.int64)", "m.tensor([0, 2], dtype=m.bool)",
    "m.tensor([1.0], requires_grad=True)", "m.tensor([1], requires_grad=True)", "m.tensor([[1, 2], [3]])", "m.tensor('a')", "m.tensor((1, 2.5))",
    "m.tensor([1, True])", "m.tensor([m.tensor(1.5), m.tensor(2)])", "m.tensor(m.tensor([1.0]))", "m.tensor([inf, nan])", "m.tensor(2**40)",
    "m.Tensor([1, 2])", "m.Tensor([[True]])", "m.Tensor([1.5])", "m.zeros(2, 3)",
    "m.zeros((2, 3))", "m.zeros([2])", "m.zeros(())", "m.zeros(0)", "m.zeros(2, dtype=m.int64)", "m.zeros(-1)", "m.zeros(size=(2, 1))", "m.ones(3)",
    "m.ones(2, 2, dtype=m.bool)", "m.ones((2,), requires_grad=True)", "m.ones(2, device='cpu')", "m.full((2, 3), 7)", "m.full((2,), 1.5)",
    "m.full([2], True)", "m.full((2,), 1, dtype=m.float32)", "m.full((), 3.0)", "m.full(size=(1,), fill_value=2)", "m.empty(2, 3).shape",
    "m.empty(0)", "m.empty((1, 2), dtype=m.int64).dtype == m.int64", "m.arange(5)", "m.arange(1, 5)", "m.arange(1, 10, 3)", "m.arange(5, 0, -2)",
    "m.arange(0, 1, 0.25)", "m.arange(3.0)", "m.arange(0)", "m.arange(0, 1, 0.1)", "m.arange(5, 0)", "m.arange(0, 5, 0)", "m.arange(3, dtype=m.float64)",
    "m.arange(start=1, end=4)", "m.arange(1, 2.5, 0.5)", "m.arange(end=3)", "m.linspace(0, 1, 5)", "m.linspace(1, -1, 3)", "m.linspace(0, 10, 1)",
    "m.linspace(0, 1, 0)", "m.linspace(0, 1, steps=4, dtype=m.float64)", "m.linspace(0, 1, -1)", "m.eye(3)", "m.eye(2, 3)", "m.eye(0)",
    "m.eye(2, dtype=m.int64)", "m.eye(-1)", "m.tril(m.ones(3, 3))", "m.triu(m.ones(2, 3), diagonal=1)", "m.zeros_like(m.ones(2, dtype=m.int64))",
    "m.ones_like(m.ones(2), dtype=m.float64)", "m.full_like(m.ones(2), 3)", "m.full_like(m.arange(2), 3)", "m.empty_like(m.ones(2, 3)).shape",
    "m.zeros_like(m.ones(2), requires_grad=True)", "m.from_numpy(m.ones(2).numpy())", "m.tensor([1, 2]).tolist()", "m.tensor([[1.5]]).item()",
    "m.ones(2).item()", "m.tensor(2.0).tolist()", "m.tensor([]).item()", "float(m.tensor(2))", "int(m.tensor([3.7]))", "bool(m.tensor([0.0]))",
    "bool(m.ones(2))", "len(m.tensor(1))", "[10, 20, 30][m.tensor(1)]", "[10][m.tensor(0.0)]", "m.ones(1, device='cuda:7')", "m.device('cpu').type",
    "m.ones(1).device.type", "m.ones(2).to(m.device('cpu'))", "m.cuda.is_available()",
    "m.ones(1, dtype=float)", "m.ones(1, dtype=int)", "m.ones(1, dtype=bool)", "m.tensor([1, 2]).float().dtype == m.float32", "m.tensor(1.5).long()",
    "m.tensor([1.5]).double()", "m.tensor([0.5, 0]).bool()", "m.ones(2, requires_grad=True).numpy()", "m.ones(2, requires_grad=True).detach()",
    "m.tensor([np.float64(1.5)])", "m.tensor([np.float32(1.5), 2])", "m.tensor([[np.int64(1)]])", "m.tensor([m.tensor(1.5).double()])",
    "f'{m.tensor(2.5):.2f} {m.tensor(3)} {m.ones(2)} {m.tensor([1.5]).sum():5.1f} {m.tensor(7):04d} {m.tensor(True)}'", "f'{m.ones(1):.1f}'",
    "m.ones(2, 3).nelement()", "m.ones(2).requires_grad_().requires_grad", "m.ones(2, dtype=m.int64).requires_grad_()", "m.tensor(2) + m.tensor(0.5, dtype=m.float64)",
]  # fmt: skip


@pytest.mark.parametrize("expression", MADE)
def test_what_is_made_is_pytorchs(expression, compare):
    compare(expression)


def wrote(statements):
    """y = x * 1 after statements that change it in place, and its square, where the gradient shows what was lost."""

    def write(m, x, *others):
        names = {"m": m, "x": x, "y": x * 1, "inf": float("inf"), **dict(zip("wv", others, strict=False))}
        exec(statements, names)
        return names["y"] * names["y"], names.get("z", 0)

    return write


IN_PLACE = [
    "y += 2", "y -= 0.5", "y *= 3", "y /= 2", "y **= 2", "y += x", "y -= x", "y *= x", "y /= x", "y **= 3", "y += y", "y -= y", "y *= y", "y /= y",
    "y.add_(x, alpha=2)", "y.sub_(x, alpha=3)", "y.mul_(2.5)", "y.div_(x)", "y.zero_()", "y.fill_(3)",
    "y.copy_(x)", "y.copy_(x[0])", "y += w", "y *= w", "y -= w[0]", "y /= w", "y.copy_(w)",
    "y += m.ones(4, 3, 4)", "y += m.ones(3)", "y += True", "y += m.arange(4)", "y *= m.ones(4, dtype=m.float64)", "z = y.exp(); y += 1",
    "z = y.exp(); z += 1", "z = y + 1; y *= 2", "z = y * y; y.add_(1)", "z = y.sigmoid(); z *= 2", "z = y.relu(); z += 1", "z = x.exp(); y *= z; z += 1",
    "y += 1; y *= y.detach(); y[0] = 0", "z = y[0] * 2; y += 1", "z = y.clone(); y.zero_()", "z = y.sum(); y.mul_(x)", "y = y.detach(); y += w",
    "y = m.zeros(3, 4); y += w", "y = m.zeros(3, 4); y[1] = w[0]; y[2] = x[1] * 2", "x += 1", "x.zero_()", "x[0] = 1", "w *= 2", "x.detach().mul_(2)",
    "y = m.arange(4); y += 1", "y = m.arange(4); y += 0.5", "y = m.arange(4); y /= 2", "y = m.arange(4); y *= True", "y = x > 0; y += 1",
    "y = y.T; z = y * 2", "y = x.double(); y += x", "y.mul_(m.ones(1, 4)); y.add_(y.sum(0))",
    "y[0] += w[0]", "y[:, 1] *= 2", "y[1:, ::2] -= w[1:, ::2]", "y[0][1] = w[0, 0]", "y[0][1] += w[1, 1]", "y = m.zeros(3, 4); y[1] += w[0]",
    "v = y[0]; v *= w[0]; z = v * 2", "y[0].add_(w[1]); z = y.exp()", "y[0] /= y[1]", "y[..., -1] *= w[..., 0]", "y[0, 0] **= 2", "x[0] += 1",
    "y[0] += 1; y[0] *= y[1]; z = y[0] * w[0]", "y[1] += w", "y[[0, 2]] += w[1:]", "y[y > 0] *= 3",
    "y.clamp_(-0.5, 0.5)", "y.clamp_(min=w)", "y.masked_fill_(w > 0, -1.0)", "x.clamp_(0)", "y.masked_fill_(w[0] > 0, 2)",
]  # fmt: skip


@pytest.mark.parametrize("statements", IN_PLACE)
def test_writing_in_place_is_pytorchs(statements, compare):
    compare(wrote(statements), "3,4", "3,4")


SHARING = [
    "y.view(-1).zero_()", "y[0].fill_(5)", "y[0, 0].add_(1)", "y.T.mul_(2)", "y[1:, ::2].zero_()", "y.unsqueeze(0).add_(1)", "y.unbind()[1].zero_()",
    "y.split(2)[0].mul_(3)", "y.chunk(2, 1)[1].zero_()", "y[[0, 2]].zero_()", "y.expand(2, 3, 4).sum()", "y.detach().add_(1)", "y.reshape(4, 3)[0].zero_()",
    "y[0] += 1", "y[:, 1] *= 2", "y[y > 0] = 0", "y[[0, 0]] += 1", "y.clone().zero_()", "y.flip(0).zero_()", "y.float().zero_()", "y.contiguous().zero_()",
    "y.flatten().zero_()", "y.squeeze().zero_()", "y.permute(1, 0)[0].fill_(1)", "y.transpose(0, 1).copy_(w.T)", "y.tril().zero_()",
    "y[None].zero_()", "y[...].zero_()", "y.to(m.float32).zero_()", "y.expand(3, 4).zero_()", "y[0][1].zero_()", "(+y).zero_()", "y.T[0] = 3", "y[0][0] = 9",
    "m.from_numpy(y.numpy()).add_(1)", "y[0, 1:3] = m.tensor([7.0, 8.0])", "y[1] = y[0]", "y[:, [0, 1]] = y[:, [1, 0]]", "y.mT.zero_()",
]  # fmt: skip


@pytest.mark.parametrize("statements", SHARING)
def test_views_share_memory_as_pytorchs_do(statements, compare):
    compare(lambda m, x, w: exec_on_copy(m, statements, x, w), "3,4", "3,4")


def exec_on_copy(m, statements, x, w):
    names = {"m": m, "y": x.detach().clone(), "w": w.detach()}
    exec(statements, names)
    return names["y"]


GENERATOR = "generator=m.Generator().manual_seed(1)"
SHAPES_DRAWN = [
    "m.rand(2, 3)", "m.rand((2, 0))", "m.rand(())", "m.rand(2, dtype=m.float64)", "m.rand(size=(2,))", f"m.rand(3, {GENERATOR})", "m.randn(2, 3)",
    "m.randn([2], requires_grad=True)", "m.randn(2, dtype=m.float64)", "m.randint(5, (2, 3))", "m.randint(1, 5, (2,))", "m.randint(high=3, size=(4,))",
    "m.randint(low=0, high=3, size=(4,))", "m.randint(5, 5, (2,))", "m.randint(0, 2, (2,), dtype=m.float32)", f"m.randint(9, (2,), {GENERATOR})",
    "m.randperm(5)", "m.randperm(0)", f"m.randperm(5, {GENERATOR})", "m.rand_like(m.ones(2, 2))", "m.randn_like(m.ones(3, dtype=m.float64))",
    "m.multinomial(m.ones(4), 2)", "m.multinomial(m.ones(3, 4), 2)", "m.multinomial(m.ones(4), 9, replacement=True)", "m.multinomial(m.ones(4), 5)",
    "m.multinomial(m.tensor([0.0, 0.0]), 1)", "m.multinomial(m.tensor([-1.0, 2.0]), 1)", "m.multinomial(m.ones(2, 2, 2), 1)",
    f"m.multinomial(m.ones(4), num_samples=1, replacement=True, {GENERATOR})",
    "m.multinomial(m.tensor([nan, 1.0]), 1)", "m.multinomial(m.ones(3), 0)", "m.randint(3)", "m.rand(2, dtype=m.int64)",
]  # fmt: skip


@pytest.mark.parametrize("expression", SHAPES_DRAWN)
def test_what_is_drawn_has_pytorchs_shape_and_dtype(expression, compare):
    def drawn(m):
        result = eval(expression, {"m": m, "nan": float("nan")})
        return (
            (tuple(result.shape), str(result.dtype).removeprefix("torch."), result.requires_grad)
            if hasattr(result, "shape")
            else result
        )

    compare(drawn)


N = 40_000
MOMENTS = {
    "m.rand(N, generator=g)": (0.5, 1 / 12, 0.0, 1.0),
    "m.randn(N, generator=g)": (0.0, 1.0, -6.0, 6.0),
    "m.randint(2, 7, (N,), generator=g).float()": (4.0, 2.0, 2.0, 6.0),
    "m.randperm(N, generator=g).float()": ((N - 1) / 2, (N * N - 1) / 12, 0.0, N - 1.0),
    "m.multinomial(m.tensor([1.0, 0.0, 3.0]), N, replacement=True, generator=g).float()": (1.5, 0.75, 0.0, 2.0),
    "m.multinomial(m.tensor([[1.0, 0.0, 3.0]]).expand(N, 3), 1, generator=g).float()": (1.5, 0.75, 0.0, 2.0),
}


@pytest.mark.parametrize("expression", MOMENTS)
def test_draws_have_their_mean_variance_and_range(expression):
    draws = eval(expression, {"m": nanograd, "N": N, "g": Generator(5)}).numpy().astype(np.float64)
    mean, variance, low, high = MOMENTS[expression]
    assert abs(draws.mean() - mean) < 5 * np.sqrt(variance / N)
    assert abs(draws.var() / variance - 1) < 0.05
    assert low <= draws.min()
    assert draws.max() <= high


def test_draws_without_replacement_are_all_different():
    drawn = nanograd.multinomial(nanograd.rand(50, 6, generator=Generator(1)) + 0.1, 6, generator=Generator(2))
    assert drawn.sort(-1).values.tolist() == [[0, 1, 2, 3, 4, 5]] * 50


def test_a_seed_repeats_every_draw():
    def draws(m):
        m.manual_seed(7)
        g = m.Generator().manual_seed(3)
        return [m.rand(2), m.randn(3), m.randint(9, (4,)), m.randperm(6), m.rand(2, generator=g), m.multinomial(m.ones(5), 2)]

    for first, second in zip(draws(nanograd), draws(nanograd), strict=True):
        assert first.tolist() == second.tolist()
