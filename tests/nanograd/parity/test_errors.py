"""What PyTorch refuses is refused here, by an error of the same kind: code that catches PyTorch's catches ours."""

import numpy as np
import pytest

import nanograd

REFUSED = [
    "x @ x", "x + m.ones(4)", "x.view(7)", "x.reshape(4)", "x[5]", "x[0, 0, 0]", "x.sum(5)", "x.var(7)", "x.squeeze(4)", "x.item()",
    "bool(x)", "x.permute(0)", "x.expand(3, 3, 3, 1)", "x.split([1, 1], 1)", "x.T.view(-1)", "x.topk(9)", "x.masked_fill(x, 1.0)",
    "x.gather(1, m.tensor([0]))", "x.gather(1, m.tensor([[9]]))", "x.index_select(0, m.tensor([7]))",
    "m.cat([x, m.ones(3, 3)], 1)", "m.stack([x, m.ones(1)])", "m.einsum('ij,jk->ik', x, x)", "m.bmm(x, x)", "m.outer(x, x)",
    "m.tensor([1, 2]).mean()", "m.tensor([1, 2])[m.tensor([1.5])]", "m.tensor([1, 2]) // m.tensor([0, 1])", "x @ x.T.double()",
    "m.tensor([1, 2]).__iadd__(1.5)", "m.tensor([1, 2], requires_grad=True)", "x.clamp()", "iter(m.tensor(1.0))", "len(m.tensor(1.0))",
    "m.zeros(-1)", "m.arange(3, 0, 1)", "m.randint(3, 1, (2,))", "m.multinomial(m.tensor([-1.0, 2.0]), 1)",
    "m.multinomial(m.ones(2), 0)",
    "p.numpy()", "(p * 2).backward()", "x.backward()", "p.__iadd__(1)", "twice((p * p).sum())", "m.autograd.grad(p.sum(), x)",
    "m.autograd.grad(p.sum(), m.ones(2, requires_grad=True))", "(p * 2).requires_grad_(False)", "x.register_hook(print)",
    "m.nn.Linear(2, 3)(x)", "m.nn.Embedding(3, 2)(m.tensor([3]))", "m.nn.Embedding(3, 2)(x)", "m.nn.Conv2d(1, 1, 3)(x)",
    "m.nn.LayerNorm(7)(x)", "m.nn.BatchNorm1d(3)(m.ones(1, 3))", "m.nn.Sequential(m.nn.ReLU())[3]", "m.nn.ModuleList([1])",
    "m.nn.ModuleDict({'a': 1})", "m.nn.Module()(1)", "x.foo", "m.nn.Linear(2, 2).load_state_dict({})",
    "setattr(m.nn.Linear(2, 2), 'weight', m.ones(2, 2))", "m.nn.MSELoss(reduction='most')(x, x)", "m.nn.Dropout(2.0)",
    "m.nn.functional.cross_entropy(x, m.tensor([0, 5]))", "m.nn.functional.cross_entropy(x, m.tensor([0]))",
    "m.nn.functional.cross_entropy(x, m.tensor([0, 1]), label_smoothing=2.0)", "m.nn.functional.smooth_l1_loss(x, x, beta=-1.0)",
    "m.nn.functional.gelu(x, approximate='most')", "m.nn.functional.one_hot(m.tensor([3]), 2)",
    "m.nn.functional.batch_norm(x, None, None)", "m.nn.functional.conv2d(m.ones(1, 1, 4, 4), m.ones(1, 1, 3, 3), stride=2, padding='same')",
    "m.nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=m.ones(2, 2), is_causal=True)",
    "m.optim.SGD([], lr=0.1)", "m.optim.SGD([x], lr=-1.0)", "m.optim.SGD([p * 2], lr=0.1)", "m.optim.SGD(p, lr=0.1)",
    "m.optim.SGD([p], lr=0.1, nesterov=True)", "m.optim.Adam([p], betas=(1.0, 0.9))", "m.nn.init.kaiming_uniform_(p)",
    "m.utils.data.DataLoader([1], batch_size=0)",
]  # fmt: skip


def twice(loss):
    loss.backward()
    loss.backward()


def raised(m, expression):
    known = {"m": m, "x": m.ones(2, 3), "p": m.ones(3, requires_grad=True), "np": np, "twice": twice}
    try:
        eval(expression, known)
    except Exception as error:
        return type(error)
    return None


@pytest.mark.parametrize("expression", REFUSED)
def test_what_pytorch_refuses_is_refused_by_an_error_of_its_kind(expression):
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs, ours = raised(torch, expression), raised(nanograd, expression)
    assert (ours is None) == (theirs is None)
    if theirs is not None:
        kinds = [kind for kind in theirs.__mro__ if kind.__module__ == "builtins"]
        assert issubclass(ours, kinds[0]), f"PyTorch raises {theirs}, we raise {ours}"
