"""New shapes, parts, and several tensors put together equal PyTorch's; so does what an index reads and where one writes."""

import numpy as np
import pytest

RESHAPED = [
    "x.reshape(-1)", "x.reshape(4, 3)", "x.reshape((2, 6))", "x.reshape(2, -1)", "x.reshape(5, -1)", "x.reshape(-1, -1)", "x.reshape(7)",
    "m.reshape(x, (3, 4))", "x.view(-1)", "x.view(6, 2)", "x.view((3, -1))", "x.view(7)", "x.flatten()", "x.flatten(1)", "x.flatten(0, 0)",
    "m.flatten(x, 1)", "x.flatten(start_dim=1, end_dim=-1)", "x.flatten(1, 0)", "x.unsqueeze(0)", "x.unsqueeze(-1)", "x.unsqueeze(-4)",
    "m.unsqueeze(x, 1)", "x.squeeze()", "x.squeeze(0)", "x.squeeze(-1)", "x.squeeze((0, 1))", "x.transpose(0, 1)", "x.transpose(-1, -2)",
    "x.transpose(0, 3)", "m.transpose(x, 0, 1)", "x.permute(1, 0)", "x.permute((-1, 0))", "x.permute(0, 0)", "m.permute(x, (1, 0))", "x.T",
    "x.mT", "x.contiguous()", "x.expand(2, 3, 4)", "x.expand(-1, 4)", "x.expand(3, -1)", "x.expand((2, -1, 4))", "x.expand(5, 4)",
    "x.expand(-1, 3, 4)", "x.repeat(2, 1)", "x.repeat(2, 1, 3)", "x.repeat((1, 0))", "x.repeat(2)", "x.flip(0)", "x.flip(0, 1)",
    "x.flip((-1,))", "m.flip(x, dims=[1])", "x.flip(0, 0)", "m.flip(x, (3,))", "x.split(2)", "x.split(2, dim=1)", "x.split([1, 2])",
    "x.split([3, 1], -1)", "x.split([1, 1])", "m.split(x, 3)", "x.chunk(2)", "x.chunk(3, dim=1)", "x.chunk(5, 1)", "x.chunk(0)", "m.chunk(x, 2, 1)",
    "x.unbind()", "x.unbind(1)", "m.unbind(x, dim=-1)", "x.tril()", "x.triu(1)", "m.tril(x, diagonal=-1)", "m.triu(x, 9)",
    "x.clone()", "x.detach()", "list(x)", "x.size()", "x.size(0)", "x.dim()", "x.numel()",
    "x.shape", "len(x)", "x.tolist()", "x.reshape(3, 4).T.reshape(-1)", "m.permute(x, dims=(1, 0))", "m.reshape(x, shape=(-1,))",
    "x.sum().item()", "x.is_contiguous()", "x.T.view(-1)", "x.T.contiguous().view(-1)", "x[0].view(2, 2)", "x.is_floating_point()",
]  # fmt: skip
OTHER_SHAPES = ["()", "1", "0", "2,0", "1,3,1", "2,3,4", "t3,4", "i3,4"]

INDICES = [
    "range(3), range(3)", "range(0, 3, 2)", "range(2), [1, 1]", "(0, 1), (1, 2)", "0", "-1", "5", "1:", ":2", "::2", "-2:", "5:", "None", "...", "0, 1", "0, ...", "..., 0", "..., None", "None, 0, None", ":, 1", ":, -1:",
    "1:, ::2", "0, 1:3", "[0, 2]", "[2, 2, 0]", "[]", "[-1]", "[0, 1], [1, 2]", "[0, 1], :", ":, [0, 2]", ":, [1]",
    "[[0], [1]], [0, 1]", "[0], 1", "0, [1, 2]", "0, [1, 1]", "..., [0, 1]", "[0, 1], None", "None, [0, 1]", "[0, 1], None, [1, 2]",
    "x > 0", "x[:, 0] > 0", ":, [True, False, True, False]", "[True, False, True]", "[True, False]", "m.tensor(1)", "m.tensor([0, 2])",
    "m.tensor([[0, 1], [2, 2]])", "m.tensor([True, False, True]), [0, 2]", "m.tensor([0, 1]), m.tensor([1, 1])", "True", "False", "3", "0, 4",
    "0, 0, 0", "[7]", "1.0", "m.tensor(2), 1:", "[True, False, True], 1", "1, [True, False, True, False]", "(x > 0) & (x < 1)", "...,", "()",
    "m.tensor([0.5])", "x[0, :2].long() * 0",
]  # fmt: skip
DEEP_INDICES = [
    "0, :, [1, 2]", "[0, 1], :, [1, 2]", ":, [0, 1], [1, 2]", ":, 0, [1, 2]", "[0, 1], 0", "[0, 1], :, 0", "0, [0, 1], 1", "..., [0, 1], 2",
    "[0, 1], ..., 0", ":, [0, 1], None, [1, 2]", "0, ..., [0, 1]", "m.tensor([[True, False, True], [False, True, True]])",
    "m.tensor([[True, False, True], [False, True, True]]), 1", "1, m.tensor([True, False, True])", ":, x[0, :, 0] > 0", "[0, 1], 1:, [0, 3]",
    "[[0], [1]], [[0, 1]], 2", "None, 1, [0, 2]", "1, None, [0, 2]", "0, [0, 2], None, 1:", "..., 1, 2", ":, None, 1", "1, ..., None", "[0, 0, 0]",
    "0, 0, m.tensor([0, 1])", "m.tensor(0), :, m.tensor([0, 1])", ":, 1, m.tensor([True, False, True, False])",
]  # fmt: skip
JOINED = [
    ("m.cat([x, y])", "3,4", "2,4"), ("m.cat([x, y], dim=1)", "3,4", "3,0"), ("m.cat((x, x))", "3"), ("m.cat([x, y, x], -1)", "2,3", "2,1"),
    ("m.cat([x, y])", "3,4", "3,3"), ("m.cat([x, y])", "()", "()"), ("m.cat([])",), ("m.cat([x, y])", "i2", "2"), ("m.cat([x, y])", "b2", "i2"),
    ("m.cat([x], 0)", "3"), ("m.cat([x, y], 2)", "3,4", "3,4"), ("m.cat([x, y])", "t3,4", "r2,4"), ("m.cat([x, m.ones(2, dtype=m.float64)])", "2"),
    ("m.cat([x, y])", "0,3", "2,3"), ("m.cat([x, y], 0)", "2,3", "3"), ("m.stack([x, y])", "3", "3"), ("m.stack([x, x], dim=1)", "2,3"),
    ("m.stack([x, y], -1)", "2,3", "2,3"), ("m.stack([x, y])", "3", "4"), ("m.stack([x, y])", "()", "()"), ("m.stack([x, y])", "i2", "2"),
    ("m.stack([])",), ("m.stack([x, y], 3)", "2", "2"), ("m.stack(x.unbind(1), 1)", "3,2"), ("m.cat(x.split(2, 1), 1)", "3,5"),
    ("m.stack([m.stack([x, x]), m.stack([x, x])])", "2"), ("m.cat([x, y, x * y])", "2,2", "2,2"), ("m.cat(tensors=[x, y], dim=0)", "2", "2"),
]  # fmt: skip
K3 = np.array([[0, 2, 2], [1, 0, 1]])
PICKED = [
    ("x.gather(1, y)", "2,3", K3), ("x.gather(0, y)", "2,3", "k2,3"), ("x.gather(0, y)", "2,3", "k5,3"), ("x.gather(-1, y)", "2,3", "k2,1"),
    ("m.gather(x, 1, y)", "3,4", K3), ("x.gather(1, y)", "i2,3", K3), ("x.gather(1, y)", "2,2", K3), ("x.gather(1, y)", "2", K3),
    ("x.gather(1, y)", "2,3", "i2,3"), ("x.gather(0, y)", "3,4,2", "k2,4,1"), ("x.gather(1, y)", "2,0", np.zeros((2, 0), int)),
    ("m.gather(x, dim=1, index=y)", "t2,3", K3), ("x.gather(0, y)", "()", np.array(0)), ("x.gather(1, y).sum()", "r2,3", K3),
    ("x.scatter_add(1, y, w)", "2,3", K3, "2,3"), ("x.scatter_add(0, y, w)", "2,3", "k2,3", "2,3"), ("x.scatter_add(0, y, w.detach())", "2,3", "k5,3", "6,4"),
    ("m.scatter_add(x, 1, y, w)", "3,4", K3, "2,3"), ("x.scatter_add(1, y, w)", "2,2", K3, "2,3"), ("x.scatter_add(1, y, w)", "2,3", K3, "1,3"),
    ("m.zeros(2, 3).scatter_add(1, y, x.float())", "2,3", K3), ("x.scatter_add(1, y, x)", "2,3", K3), ("x.scatter_add(1, y, w)", "i2,3", K3, "i2,3"),
    ("x.index_select(0, y)", "3,4", "k5"), ("x.index_select(1, y)", "3,4", "k5"), ("m.index_select(x, -1, y)", "3,4", "k()"),
    ("x.index_select(0, y)", "3,4", "k2,2"), ("x.index_select(0, y)", "3", "k0"), ("x.index_select(0, y)", "1,4", np.array([0, 1])),
    ("m.index_select(x, dim=0, index=y)", "r3,2", "k4"), ("x[y]", "3,4", "k2,2"), ("x[y, w]", "3,4", "k3", "k3"), ("x[y] * x[w]", "3,4", "k3", "k3"),
    ("x[m.arange(3), y]", "3,4", "k3"), ("x[y][:, w]", "3,4", "k2", "k2"), ("(x[0] * x[1:]).sum(0)[None]", "3,4"), ("x[y > 0]", "3,4", "3,4"),
]  # fmt: skip
CASES = [
    *[(expression, "3,4") for expression in RESHAPED],
    *[
        (expression, kind)
        for expression in RESHAPED
        for kind in OTHER_SHAPES
        if "view(2, 2)" not in expression
        and (kind[0] != "t" or not any(word in expression for word in ("view", "is_contiguous")))
        and (expression, kind) != ("x.mT", "()")
    ],
    *[(f"x[{index}]", kind) for index in INDICES for kind in ("3,4", "t3,4", "i3,4")],
    *[(f"x[{index}]", "2,3,4") for index in DEEP_INDICES],
    *[
        (f"x[{index}]", kind)
        for index in ("0", "...", "None", "()", "True", ":", "[0]", "1:", "x > 0")
        for kind in ("()", "0", "1", "0,2", "r4")
    ],
    *JOINED,
    *PICKED,
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_shaping_is_pytorchs(case, dtype, compare):
    compare(*case, dtype=dtype)


def written(index, value):
    """x * 1 after `z[index] = value`, and z's square, so that gradients reach both what was there and what was written."""

    def write(m, x, y):
        z = x * 1
        names = {"m": m, "z": z, "x": x, "y": y, "inf": float("inf")}
        exec(f"z[{index}] = {value}", names)
        return z, z * z

    return write


WRITTEN = [
    *[(index.replace("x", "z"), value, "3,4", "()") for index in INDICES for value in ("y", "2", "-inf") if index not in ("[2, 2, 0]", "False")],
    *[(index.replace("x", "z"), "y", "2,3,4", "()") for index in DEEP_INDICES if index != "[0, 0, 0]"],
    *[("0", "y", "3,4", "4"), ("0", "y", "3,4", "1,4"), ("0", "y", "3,4", "3"), ("1:", "y", "3,4", "2,1"), (":, 0", "y", "3,4", "3")],
    *[("[0, 2]", "y", "3,4", "2,4"), ("[0, 2]", "y", "3,4", "1,1,4"), ("z > 0", "y[z > 0]", "3,4", "3,4"), (":", "y", "3,4", "3,4")],
    *[("0, [1, 2]", "y", "3,4", "2"), ("...", "y", "()", "1"), ("1:", "z[:-1].clone()", "4", "()"), ("0", "y.long()", "3,4", "4")],
    *[("0", "y > 0", "3,4", "4"), ("0", "y.double()", "3,4", "4"), ("[True, False, True]", "y", "3,4", "2,4"), (":, [0, 1]", "x[:, 2:]", "3,4", "()")],
    *[("0", "m.tensor(3)", "3,4", "()"), ("0", "z[1] * y", "3,4", "4"), ("0:0", "y", "3,4", "4"), ("[]", "y", "3,4", "4")],
]  # fmt: skip


@pytest.mark.parametrize(("index", "value", "x", "y"), WRITTEN)
def test_assignment_is_pytorchs(index, value, x, y, compare):
    compare(written(index, value), x, y)


SMOOTH = [
    *[(expression, "3,4") for expression in ("x.reshape(2, 6)", "x.T", "x.expand(2, 3, 4)", "x.repeat(2, 1)", "x.flip(0, 1)", "x.split(2, 1)",
      "x.unbind(1)", "x.tril(-1)", "x[1:, ::2]", "x[[0, 2, 2]]", "x[x > 0]", "x[0, [1, 1]]", "x.permute(1, 0)", "x.squeeze()", "x.chunk(3, 1)")],
    *[("m.cat([x, x * y], 1)", "2,3", "2,3"), ("m.stack([x, y], 1)", "2,3", "2,3"), ("x.gather(1, y)", "2,3", K3)],
    *[("x.scatter_add(1, y, w)", "2,3", K3, "2,3"), ("x.index_select(0, y)", "3,2", "k4"), (written("1:", "y"), "3,4", "4")],
    *[(written("[0, 2], 1", "y * x[0, 0]"), "3,4", "2"), (written("z > 0", "y"), "3,4", "()"), ("x[0, :, [1, 2]]", "2,3,4")],
]  # fmt: skip


@pytest.mark.parametrize("case", SMOOTH, ids=range(len(SMOOTH)))
def test_shaping_gradient_is_the_slope(case, check_gradient):
    check_gradient(*case)
